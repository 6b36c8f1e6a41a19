//! `seq`: numbers in a row (whole ones).

use tokio::io::AsyncWriteExt;

use crate::program::{BoxFuture, Call, Program};

use super::{BROKEN_PIPE, answer, failure};

/// The program.
#[derive(Debug)]
pub struct Seq;

impl Program for Seq {
    fn name(&self) -> &'static str {
        "seq"
    }

    fn run(&self, call: Call) -> BoxFuture<'static, u8> {
        let numbers: Vec<i64> = call.args.iter().skip(1).map_while(|text| text.parse().ok()).collect();
        let (first, step, last) = match (numbers.as_slice(), call.args.len()) {
            ([last], 2) => (1, 1, *last),
            ([first, last], 3) => (*first, 1, *last),
            ([first, step, last], 4) if *step != 0 => (*first, *step, *last),
            _ => {
                let bad = call.args.get(numbers.len() + 1).cloned().unwrap_or_default();
                return answer(call, failure("seq", &format!("invalid floating point argument: '{bad}'"), 1));
            }
        };
        let mut call = call;
        Box::pin(async move {
            let mut number = first;
            let mut text = String::new();
            while if step > 0 { number <= last } else { number >= last } {
                text.push_str(&format!("{number}\n"));
                number = number.saturating_add(step);
                if text.len() > 4096
                    && call.stdout.write_all(std::mem::take(&mut text).as_bytes()).await.is_err()
                {
                    return BROKEN_PIPE;
                }
            }
            if call.stdout.write_all(text.as_bytes()).await.is_err() { BROKEN_PIPE } else { 0 }
        })
    }
}
