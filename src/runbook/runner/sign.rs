//! What people say in a run, and how it ends, is signed with the operator's key. Without a key the run says so and goes on,
//! except where the environment demands signatures.

use std::time::Duration;

use super::{Halt, Runner};
use crate::openssh::sshsig::{Standing, TextSignature};
use crate::runbook::approval::Approved;
use crate::runbook::event::Event;
use crate::runbook::evidence::{NAMESPACE, Signed, SignedApproval, may_sign_as, statement};
use crate::runbook::journal::{Draft, Entry};
use crate::runbook::place::Place;
use jumpdeck_fleet::fleet::Signatures;
use jumpdeck_fleet::text::Clean;

/// A person may take so long to find and touch their key. Nothing else runs against it: the lease beats meanwhile, and what
/// a change rests on is proved again behind it.
const TOUCH: Duration = Duration::from_secs(60);
/// A run that stops waits no longer for its signature.
const TOUCH_AT_STOP: Duration = Duration::from_secs(10);

impl Runner {
    /// Whether this run is signed: nothing is proved by a rehearsal, except when a person names a key for it.
    fn is_to_be_signed(&self) -> bool {
        !self.machine.dry_run && (!self.needs.simulated || self.needs.signing.named)
    }

    fn must_be_signed(&self) -> bool {
        self.is_to_be_signed() && self.needs.env.signatures == Signatures::Required
    }

    /// Writes an entry, with the signature it is to have; the entry is not told to the machine.
    ///
    /// # Errors
    /// When it cannot be written, or has no signature where one is demanded: then nothing was written.
    pub(super) async fn write_sealed(
        &mut self,
        event: Event,
        approved: Option<SignedApproval>,
    ) -> Result<Entry, Halt> {
        let patience = match &event {
            Event::Answered { .. } | Event::Ended { .. } => Some(TOUCH),
            Event::Stopped { .. } => Some(TOUCH_AT_STOP),
            Event::Started { .. }
            | Event::Resumed { .. }
            | Event::Intent { .. }
            | Event::Outcome { .. }
            | Event::Skipped { .. }
            | Event::Excluded { .. }
            | Event::RollingBack { .. }
            | Event::Abandoning { .. }
            | Event::WindowFailed { .. }
            | Event::Note { .. }
            | Event::HoldLost { .. }
            | Event::Trouble { .. } => None,
        };
        if let Some(patience) = patience
            && let Some(draft) = self.drafted(&event, approved.as_ref()).await?
        {
            match self.is_to_be_signed() {
                false => return self.needs.record.append_draft(draft, None).await.map_err(Halt::Journal),
                true => match self.signature(&draft, patience).await {
                    Ok(signed) => {
                        let written = self.needs.record.append_draft(draft, Some(signed)).await;
                        return written.map_err(Halt::Journal);
                    }
                    // That it stands is said in any case.
                    Err(why) if self.must_be_signed() && !matches!(event, Event::Stopped { .. }) => {
                        let env = &self.needs.env.name;
                        let text = format!(
                            "not signed, but {env} demands signatures: {why}; resume the run to be asked again"
                        );
                        return Err(Halt::Stopped(text));
                    }
                    Err(why) => self.tell_unsigned(&why).await?,
                },
            }
            if let Some(draft) = self.drafted(&event, approved.as_ref()).await? {
                return self.needs.record.append_draft(draft, None).await.map_err(Halt::Journal);
            }
        }
        self.needs.record.append(event).await.map_err(Halt::Journal)
    }

    async fn drafted(&self, event: &Event, approved: Option<&SignedApproval>) -> Result<Option<Draft>, Halt> {
        self.needs.record.draft(event.clone(), approved.cloned()).await.map_err(Halt::Journal)
    }

    async fn signature(&self, draft: &Draft, patience: Duration) -> Result<Signed, String> {
        let by = self.needs.who.clone();
        if !may_sign_as(&by) {
            return Err(format!("{by:?} is not a name that can sign: set JUMPDECK_WHO to one word"));
        }
        let signer = self.needs.signing.signer.clone()?;
        let text = statement(self.machine.run.as_str(), &by, draft.text());
        let (out, device) = (self.site.out.clone(), signer.is_security_key());
        let waits = move || {
            let text = match device {
                true => "touch your security key: it signs your answer",
                false => "confirm in your SSH agent: it signs your answer",
            };
            out(&Place::Nowhere, vec![Clean::new(text)]);
        };
        let signature = signer.sign(NAMESPACE, text.as_bytes(), patience, waits).await;
        let sig = signature.map_err(|why| why.to_string())?.to_base64();
        Ok(Signed { by, sig: sig.ok_or("the signature cannot be written")? })
    }

    /// Says on screen, in the journal and so in the report that no key is at hand: once.
    pub(super) async fn tell_when_unsigned(&mut self) -> Result<(), Halt> {
        match self.needs.signing.signer.clone() {
            Err(why) if self.is_to_be_signed() => self.tell_unsigned(&why).await,
            _ => Ok(()),
        }
    }

    async fn tell_unsigned(&mut self, why: &str) -> Result<(), Halt> {
        let text = format!("unsigned: no signing key ({why})");
        let told = |entry: &Entry| matches!(&entry.event, Event::Trouble { text: told } if *told == text);
        if self.needs.entries.iter().any(told) {
            return Ok(());
        }
        let event = Event::Trouble { text: self.needs.redactor.text(&text) };
        let entry = self.needs.record.append(event.clone()).await.map_err(Halt::Journal)?;
        self.handed_on(entry);
        self.machine.apply(&event)?;
        self.show_entry();
        Ok(())
    }

    /// The approval as it is kept beside the entry that counts it.
    pub(super) fn kept(approved: &Approved) -> SignedApproval {
        SignedApproval { text: approved.approval.text(), sig: approved.approval.sig.clone() }
    }

    /// Why a second person's yes does not count, where signatures are demanded.
    pub(super) fn refusal(&self, approved: &Approved) -> Option<String> {
        if !self.must_be_signed() {
            return None;
        }
        let who = &approved.approval.who;
        let Some(sig) = &approved.approval.sig else {
            return Some(format!("the approval of {who} is not signed"));
        };
        let text = approved.approval.text();
        let signature = TextSignature::from_base64(sig).filter(|s| s.fits(NAMESPACE, text.as_bytes()));
        let Some(signature) = signature else {
            return Some(format!("the signature of {who} does not match the approval"));
        };
        let own =
            self.needs.signing.signer.as_ref().is_ok_and(|key| key.fingerprint() == signature.fingerprint());
        if own {
            return Some(format!("the approval of {who} is signed with your own key"));
        }
        let allowed = match &self.needs.signing.allowed {
            Ok(allowed) => allowed,
            Err(why) => return Some(format!("allowed_signers cannot be read: {why}")),
        };
        let now = jiff::Timestamp::now();
        match allowed.standing(&signature, who, NAMESPACE, now) {
            Standing::Known => None,
            Standing::NotNow | Standing::OfOthers(_) | Standing::NotTheirs | Standing::Unknown => Some(
                format!("allowed_signers does not say that {} is a key of {who}", signature.fingerprint()),
            ),
        }
    }
}
