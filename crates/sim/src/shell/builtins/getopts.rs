//! `getopts` (POSIX).

use crate::shell::state::Shell;

impl Shell {
    pub(crate) async fn getopts(&mut self, arguments: &[String]) -> u8 {
        let [wanted, name, given @ ..] = arguments else {
            self.complain("getopts: Usage: getopts optstring var [arg...]").await;
            return 2;
        };
        let given: Vec<String> = if given.is_empty() { self.arguments.to_vec() } else { given.to_vec() };
        let mut index: usize = self.get("OPTIND").and_then(|text| text.parse().ok()).unwrap_or(1);
        let current = given.get(index.saturating_sub(1)).cloned().unwrap_or_default();
        if self.option_index == 0 {
            if current == "--" {
                self.raw_set("OPTIND", &(index + 1).to_string());
            }
            if current == "--" || current.len() < 2 || !current.starts_with('-') {
                self.raw_set(name, "?");
                return 1;
            }
            self.option_index = 1;
        }
        let letter = current.chars().nth(self.option_index).unwrap_or('?');
        self.option_index += 1;
        let silent = wanted.starts_with(':');
        let takes =
            wanted.split_once(letter).filter(|_| letter != ':').map(|(_, after)| after.starts_with(':'));
        let attached: String = current.chars().skip(self.option_index).collect();
        if attached.is_empty() || takes == Some(true) {
            index += 1;
            self.option_index = 0;
        }
        let (result, value) = match takes {
            Some(false) => (letter.to_string(), None),
            Some(true) if !attached.is_empty() => (letter.to_string(), Some(attached)),
            Some(true) => match given.get(index - 1) {
                Some(value) => {
                    index += 1;
                    (letter.to_string(), Some(value.clone()))
                }
                None if silent => (":".to_owned(), Some(letter.to_string())),
                None => {
                    self.put(2, format!("No arg for -{letter} option\n").as_bytes()).await;
                    ("?".to_owned(), None)
                }
            },
            None if silent => ("?".to_owned(), Some(letter.to_string())),
            None => {
                self.put(2, format!("Illegal option -{letter}\n").as_bytes()).await;
                ("?".to_owned(), None)
            }
        };
        self.raw_set(name, &result);
        self.raw_set("OPTIND", &index.to_string());
        match value {
            Some(value) => self.raw_set("OPTARG", &value),
            None => {
                std::sync::Arc::make_mut(&mut self.variables).remove("OPTARG");
            }
        }
        0
    }
}
