//! `apachectl configtest` and `nginx -t`: whether a web server's configuration leads to what it could load. Apache's test does not see that
//! a certificate and its key are no pair; its reload does, and ends the server.

use crate::options::Options;
use crate::posix::programs::files::{Work, with_world};
use crate::posix::programs::text::answer;
use crate::program::{BoxFuture, Call, Program};
use crate::web::tls::Unloadable;
use crate::world::World;
use jumpdeck_fleet::names::HostName;

/// One of them, by its name.
#[derive(Debug)]
pub(crate) struct Tester(pub(crate) &'static str);

static NGINX: Options = Options::new("t", &[]);
static APACHECTL: Options = Options::new("", &[]);

impl Program for Tester {
    fn name(&self) -> &'static str {
        self.0
    }

    fn installed(&self, world: &World, host: &HostName) -> bool {
        let service = if self.0 == "nginx" { "nginx" } else { "apache2" };
        world.tls_server(host).is_some_and(|(server, _)| server == service)
    }

    fn options(&self) -> Option<&'static Options> {
        Some(if self.0 == "nginx" { &NGINX } else { &APACHECTL })
    }

    fn run(&self, call: Call) -> BoxFuture<'static, u8> {
        let name = self.0;
        let options = if name == "nginx" { &NGINX } else { &APACHECTL };
        let given = match options.read(&call.args) {
            Ok(given) => given,
            Err(refused) => return answer(call, refused),
        };
        let reply = with_world(&call, |work| match (name, given.operands.as_slice()) {
            ("apachectl", [word]) if word == "configtest" => apache(work),
            ("nginx", []) if given.has('t') => nginx(work),
            (_, words) => work.complain(&format!("{}: not simulated", words.join(" "))),
        });
        answer(call, reply)
    }
}

fn told(work: &mut Work<'_>, text: &str, status: u8) {
    work.reply.stderr.extend(text.bytes());
    work.reply.status = status;
}

fn apache(work: &mut Work<'_>) {
    match work.world.configured_certificates(&work.host) {
        Ok(_) | Err(Unloadable::NoPair(_)) => told(work, "Syntax OK\n", 0),
        Err(Unloadable::File(path)) => {
            let text = format!(
                "AH00526: Syntax error on line 4 of /etc/apache2/sites-enabled/default-ssl.conf:\n\
                 SSLCertificateFile: file '{path}' does not exist or is empty\n\
                 Action 'configtest' failed.\nThe Apache error log may have more information.\n"
            );
            told(work, &text, 1);
        }
    }
}

fn nginx(work: &mut Work<'_>) {
    const CONFIG: &str = "/etc/nginx/nginx.conf";
    let why = match work.world.configured_certificates(&work.host) {
        Ok(_) => {
            let text = format!(
                "nginx: the configuration file {CONFIG} syntax is ok\nnginx: configuration file {CONFIG} test is successful\n"
            );
            return told(work, &text, 0);
        }
        Err(Unloadable::File(path)) => {
            format!("cannot load certificate \"{path}\": PEM_read_bio_X509_AUX() failed")
        }
        Err(Unloadable::NoPair(path)) => {
            format!(
                "SSL_CTX_use_PrivateKey_file(\"{path}\") failed (SSL: x509 certificate routines: key values mismatch)"
            )
        }
    };
    told(work, &format!("nginx: [emerg] {why}\nnginx: configuration file {CONFIG} test failed\n"), 1);
}
