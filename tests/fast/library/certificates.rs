//! rotate-certificate: what is refused before anything is touched, servers that do not load what they are given, and the way back.

use jumpdeck::runbook::event::{Event, Phase};
use jumpdeck_fleet::names::HostName;
use jumpdeck_fleet::run::{Effect, PromptKind, Reply, RunState};
use jumpdeck_sim::web::certificates::{Certificate, Key};
use jumpdeck_sim::web::tls::{NEXT, TlsFault};
use jumpdeck_sim::world::World;

use super::rehearsal::{Stage, Told};
use super::{Hand, PLAIN, Scene, way};

/// What a person does: the new files go into the private pillar.
const PILLAR: &str = r#"
folder=/root/new-certificate
{ echo 'certificates:'; echo '  web:'
  for part in certificate:cert chain:chain key:key; do
    echo "    ${part%%:*}: |"
    sed 's/^/      /' "$folder/${part#*:}.pem"
  done; } >/srv/private/pillar/certificates/production.sls
"#;
const INPUTS: &[(&str, &str)] = &[("role", "app1+app2"), ("canary", "app1")];

const SCENE: Scene =
    Scene { inputs: INPUTS, hands: &[Hand("into the private pillar", Some(("salt", PILLAR)), "")], ..PLAIN };

/// One server: the others get it by the same part.
pub(super) const ALONE: Scene = Scene { inputs: &[("role", "app1"), ("canary", "app1")], ..SCENE };

fn host(name: &str) -> HostName {
    HostName::new(name).unwrap()
}

/// The fingerprint that a host serves.
fn served(stage: &Stage, name: &str) -> String {
    let served = stage.world(|w| w.served_certificates(&host(name)));
    served.map_or_else(|| "nothing".to_owned(), |chain| chain[0].fingerprint())
}

fn next(world: &World) -> Certificate {
    let text = world.read_file(&host("salt"), &format!("{NEXT}/cert.pem")).unwrap();
    Certificate::all(&String::from_utf8(text).unwrap()).remove(0)
}

/// Puts another certificate in the place of the next one.
fn put(world: &mut World, certificate: &Certificate) {
    world.write_file(&host("salt"), &format!("{NEXT}/cert.pem"), certificate.pem().into_bytes());
}

/// Runs it; at each decision the first way there is of `ways` is taken.
async fn run(stage: &Stage, inputs: &[(&str, &str)], ways: &str) -> Told {
    stage
        .run("rotate-certificate", inputs, None, |prompt| match &prompt.kind {
            PromptKind::Choose(choices) => way(choices, ways),
            _ => SCENE.agrees(stage, prompt),
        })
        .await
}

/// The steps that were begun and change something.
fn begun(told: &Told) -> Vec<String> {
    let changing = |step: &str| told.plan.steps.iter().any(|s| s.id == step && s.effect != Effect::Read);
    let begun = told.entries.iter().filter_map(|entry| match &entry.event {
        Event::Intent { step, phase: Phase::Run, .. } => Some(step.to_string()),
        _ => None,
    });
    begun.filter(|step| changing(step)).collect()
}

/// What the first question after a failure says.
fn failure(told: &Told) -> String {
    let asked = told.prompts.iter().find(|prompt| matches!(prompt.kind, PromptKind::Choose(_))).unwrap();
    let text: Vec<String> = asked.text.iter().map(ToString::to_string).collect();
    format!("{}: {}", asked.title, text.join("\n"))
}

/// A fleet of which something was changed, and what must be said of it before anything is touched.
struct Refused(fn(&mut World), &'static str, &'static str);

const REFUSED: &[Refused] = &[
    Refused(
        |w| {
            let key = Key::drawn("of another").private_pem();
            w.write_file(&host("salt"), &format!("{NEXT}/key.pem"), key.into_bytes());
        },
        "(pair)",
        "key.pem is the key of another certificate than",
    ),
    Refused(
        |w| {
            let text =
                "-----BEGIN ENCRYPTED PRIVATE KEY-----\nc2VjcmV0\n-----END ENCRYPTED PRIVATE KEY-----\n";
            w.write_file(&host("salt"), &format!("{NEXT}/key.pem"), text.as_bytes().to_vec());
        },
        "(pair)",
        "holds no key that can be read without a passphrase",
    ),
    Refused(
        |w| assert!(w.set_attributes(&host("salt"), &format!("{NEXT}/key.pem"), |a| a.mode = 0o644)),
        "(files)",
        "key.pem has mode 644: chmod 600",
    ),
    Refused(
        |w| assert!(w.remove_file(&host("salt"), &format!("{NEXT}/chain.pem"))),
        "(files)",
        "chain.pem is missing or empty",
    ),
    Refused(
        |w| {
            let (_, root) = w.authorities();
            w.write_file(&host("salt"), &format!("{NEXT}/chain.pem"), root.pem().into_bytes());
        },
        "(chain)",
        "error 20 at 0 depth lookup",
    ),
    Refused(
        |w| {
            let mut certificate = next(w);
            certificate.names.retain(|name| !name.starts_with("blog.") && !name.starts_with("docs."));
            put(w, &certificate);
        },
        "/covers)",
        "The new certificate lacks these names, which app1 serves: blog.webplatform.org docs.webplatform.org.",
    ),
    Refused(
        |w| {
            let certificate = w.issue(&next(w).key, (3, 300));
            put(w, &certificate);
        },
        "(dates)",
        "The new certificate is not valid before",
    ),
    Refused(
        |w| {
            let certificate = w.issue(&next(w).key, (-400, 12));
            put(w, &certificate);
        },
        "(dates)",
        "in less than 30 days",
    ),
    Refused(
        |w| {
            let mut certificate = next(w);
            certificate.not_after -= 330 * 86_400;
            put(w, &certificate);
            let longer = w.issue(&Key::drawn("longer"), (-300, 200));
            let key = Key::drawn("longer").private_pem();
            w.write_file(&host("app2"), "/etc/ssl/web/cert.pem", longer.pem().into_bytes());
            w.write_file(&host("app2"), "/etc/ssl/web/key.pem", key.into_bytes());
            assert!(w.reload_service(&host("app2"), "apache2"));
        },
        "/covers)",
        "no later than the one that app2 serves",
    ),
    Refused(|w| assert!(w.set_service(&host("app2"), "apache2", false)), "(config)", "app2"),
];

#[tokio::test(flavor = "multi_thread")]
async fn what_is_wrong_with_the_new_files_is_said_before_anything_is_touched() {
    for Refused(broken, step, said) in REFUSED {
        let stage = Scene { broken: *broken, ..SCENE }.stage(true).await;
        let before = (served(&stage, "app1"), served(&stage, "app2"));
        let told = run(&stage, INPUTS, "s").await;
        assert!(matches!(told.view.state, RunState::Stopped(_)), "{said}\n{}", told.story());
        let failure = failure(&told);
        assert!(failure.contains(step) && failure.contains(said), "{step} {said}\n{failure}");
        assert_eq!(begun(&told), Vec::<String>::new(), "{said}");
        assert_eq!((served(&stage, "app1"), served(&stage, "app2")), before);
    }
}

/// A reload that fails, and one that says that it was done: seen on the wire, and taken back there.
#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_does_not_load_the_new_certificate_is_seen_and_undone() {
    for (name, fault) in
        [("app1", TlsFault::Refuses), ("app1", TlsFault::KeepsOld), ("app2", TlsFault::KeepsOld)]
    {
        let stage = SCENE.stage(true).await;
        let old = served(&stage, "app1");
        stage.shell("salt", "cp /srv/private/pillar/certificates/production.sls /root/pillar.before").await;
        stage.world(|w| w.set_tls_fault(&host(name), Some(fault)));
        // One that fails is mended before the way back is taken: it could not load the old one either.
        let mended = matches!(fault, TlsFault::Refuses);
        let told = stage
            .run("rotate-certificate", INPUTS, None, |prompt| match &prompt.kind {
                PromptKind::Choose(choices) => {
                    if mended {
                        stage.world(|w| w.set_tls_fault(&host(name), None));
                    }
                    way(choices, "bs")
                }
                _ => SCENE.agrees(&stage, prompt),
            })
            .await;
        assert_eq!(told.view.state, RunState::RolledBack, "{name} {fault:?}\n{}", told.story());
        let said = failure(&told);
        assert!(said.contains("/reloaded) failed"), "{name} {fault:?}: {said}");
        for host in ["app1", "app2"] {
            assert_eq!(served(&stage, host), old, "{name} {fault:?}");
            let left = stage.shell(host, "ls /etc/ssl/web; cat /etc/ssl/web/key.pem | sha256sum").await;
            assert!(!left.contains("new-"), "{left}");
        }
        let differs =
            "cmp -s /srv/private/pillar/certificates/production.sls /root/pillar.before && echo same";
        assert_eq!(stage.shell("salt", differs).await, "same");
    }
}

/// Everything is served, nothing restarted, and the key is in no journal; without a pillar it is carried by SSH.
#[tokio::test(flavor = "multi_thread")]
async fn every_server_serves_the_new_certificate_and_the_key_is_nowhere_else() {
    for pillar_key in ["certificates:web", "none"] {
        let stage = SCENE.stage(false).await;
        let new = stage.world(|w| next(w).fingerprint());
        let pid = |stage: &Stage| stage.world(|w| w.service(&host("app1"), "apache2").unwrap().pid);
        let before = pid(&stage);
        let inputs = [INPUTS, &[("pillar_key", pillar_key)]].concat();
        let told = run(&stage, &inputs, "s").await;
        assert_eq!(told.view.state, RunState::Finished, "{pillar_key}\n{}", told.story());
        assert!(told.decisions().is_empty(), "{:?}", told.decisions());
        for name in ["app1", "app2"] {
            assert_eq!(served(&stage, name), new, "{name}");
            let modes = stage.shell(name, "stat -c '%U %a' /etc/ssl/web/key.pem /etc/ssl/web/cert.pem").await;
            assert_eq!(modes, "root 600\nroot 644", "{name}");
        }
        assert_ne!(served(&stage, "app3"), new, "another host of the role was not asked for");
        assert_eq!(pid(&stage), before, "a reload is no restart");
        let key = stage.world(|w| w.read_file(&host("salt"), &format!("{NEXT}/key.pem")).unwrap());
        let key = String::from_utf8(key).unwrap();
        let journals = stage.journals_text();
        for line in key.lines().filter(|line| line.len() > 20 && !line.starts_with('-')) {
            assert!(!journals.contains(line), "{pillar_key}: the key is in a journal");
        }
        let base64 = stage.shell("salt", "base64 -w0 /root/new-certificate/key.pem").await;
        assert!(!journals.contains(&base64[..40]), "{pillar_key}: the key is in a journal");
    }
}

/// The key that the hosts have, and a certificate that was made for it.
#[tokio::test(flavor = "multi_thread")]
async fn a_certificate_for_the_key_that_is_there_needs_no_new_key() {
    let stage = SCENE.stage(false).await;
    let own = stage.world(|w| {
        let text = w.read_file(&host("app1"), "/etc/ssl/web/key.pem").unwrap();
        let certificate = w.issue(&Key::read(&String::from_utf8(text).unwrap()).unwrap(), (-1, 300));
        put(w, &certificate);
        assert!(w.remove_file(&host("salt"), &format!("{NEXT}/key.pem")));
        certificate.fingerprint()
    });
    let inputs = [INPUTS, &[("key", "same"), ("pillar_key", "none")]].concat();
    let told = run(&stage, &inputs, "s").await;
    assert_eq!(told.view.state, RunState::Finished, "{}", told.story());
    assert_eq!((served(&stage, "app1"), served(&stage, "app2")), (own.clone(), own));
}

/// nginx has certificate and chain in one file, and its old certificate may have run out.
#[tokio::test(flavor = "multi_thread")]
async fn one_file_with_the_chain_and_an_old_certificate_that_has_run_out() {
    let stage = SCENE.stage(false).await;
    let new = stage.world(|w| {
        let text = w.read_file(&host("piwik"), "/etc/ssl/web/key.pem").unwrap();
        let key = Key::read(&String::from_utf8(text).unwrap()).unwrap();
        let chain = w.issue(&key, (-400, -2)).pem() + &w.authorities().0.pem();
        w.write_file(&host("piwik"), "/etc/ssl/web/fullchain.pem", chain.into_bytes());
        assert!(w.reload_service(&host("piwik"), "nginx"));
        next(w).fingerprint()
    });
    let inputs = [
        ("role", "piwik"),
        ("canary", "piwik"),
        ("site", "stats.webplatform.org"),
        ("says", "Piwik"),
        ("pillar_key", "none"),
    ];
    let told = run(&stage, &inputs, "s").await;
    assert_eq!(told.view.state, RunState::Finished, "{}", told.story());
    assert_eq!(served(&stage, "piwik"), new);
    let chain = stage.world(|w| w.served_certificates(&host("piwik")).unwrap());
    assert_eq!(chain.len(), 2, "with its chain");
}

/// A pillar that was not written, or that has the key of another certificate, brings nothing into use.
#[tokio::test(flavor = "multi_thread")]
async fn a_pillar_that_has_not_the_new_files_is_seen_before_a_host_uses_them() {
    const OLD_KEY: &str = "
old=$(sed -n '/^    key:/,$p' /root/pillar.before)
{ sed '/^    key:/,$d' /srv/private/pillar/certificates/production.sls; echo \"$old\"; } >/root/mixed
cat /root/mixed >/srv/private/pillar/certificates/production.sls";
    for (script, said) in [
        (None, "certificates:web:certificate is not the new certificate"),
        (Some(OLD_KEY), "is not the key of the new certificate"),
    ] {
        let stage = SCENE.stage(true).await;
        let old = served(&stage, "app1");
        stage.shell("salt", "cp /srv/private/pillar/certificates/production.sls /root/pillar.before").await;
        let told = stage
            .run("rotate-certificate", INPUTS, None, |prompt| match &prompt.kind {
                PromptKind::Choose(choices) => way(choices, "bs"),
                _ if prompt.title.as_str().contains("private pillar") => {
                    if let Some(script) = script {
                        let work = || {
                            tokio::runtime::Handle::current()
                                .block_on(stage.shell("salt", &format!("{PILLAR}{script}")))
                        };
                        tokio::task::block_in_place(work);
                    }
                    Reply::Yes
                }
                _ => SCENE.agrees(&stage, prompt),
            })
            .await;
        assert_eq!(told.view.state, RunState::RolledBack, "{}", told.story());
        let failure = failure(&told);
        assert!(failure.contains(said), "{failure}");
        assert_eq!(served(&stage, "app1"), old);
        let left = stage.shell("app1", "ls /etc/ssl/web").await;
        assert!(!left.contains("new-") && !left.contains("part-"), "{left}");
    }
}
