//! What Authentication sends: mails lie in the inbox with all others, codes for phones are told in emu's own lines.

use crate::services::Services;
use crate::services::auth::{Code, Purpose, Sent};
use crate::services::mail::Draft;

/// Who Firebase's mails are from.
const SENDER: &str = "noreply@firebase.localhost";
const MAIL_BYTES_MAX: usize = 1 << 20;

/// Has every code that is sent told of.
pub(in crate::app) fn tell_of_codes(services: &Services) {
    let mail = services.mail.clone();
    services.auth.listen(Box::new(move |call, sent| match sent {
        Sent::Message(code) => tracing::info!("the code for {} is {}", code.phone, code.code),
        Sent::Mail(code) => {
            let (mail, call, draft) = (mail.clone(), call.clone(), draft(code));
            tokio::spawn(async move {
                if let Err(error) = mail.send(&call, draft).await {
                    tracing::warn!(%error, "a mail of Firebase Authentication did not reach the inbox");
                }
            });
        }
    }));
}

fn draft(code: &Code) -> Draft {
    let (subject, text) = match code.purpose {
        Purpose::SignIn => ("Sign in", "Follow this link to sign in:"),
        Purpose::ResetPassword => ("Reset your password", "Follow this link to choose a new password:"),
        Purpose::VerifyEmail => ("Verify your email", "Follow this link to verify your email address:"),
        Purpose::RecoverEmail => ("Your sign-in email was changed", "If that was not you, follow this link to take the change back:"),
        Purpose::ChangeEmail => ("Verify your new email", "Follow this link to verify your new email address:"),
    };
    // The new address has to be shown to be one's own.
    let to = code.new_email.as_ref().unwrap_or(&code.email);
    Draft {
        source: SENDER.to_owned(),
        to: vec![to.clone()],
        subject: Some(subject.to_owned()),
        text: Some(format!("{text}\n\n{}\n", code.link)),
        bytes_max: MAIL_BYTES_MAX,
        ..Draft::default()
    }
}
