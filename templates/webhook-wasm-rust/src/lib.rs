//! What the webhook does, without HTTP: it runs, and is tested, on any machine.

pub mod event;
pub mod signature;

use event::Event;

/// A request, as far as it matters here.
pub struct Delivery<'a> {
    /// The header `x-github-event`.
    pub kind: Option<&'a str>,
    /// The header `x-hub-signature-256`.
    pub signature: Option<&'a str>,
    pub body: &'a [u8],
}

/// The status and the text to answer with.
#[derive(Debug, PartialEq, Eq)]
pub struct Answer {
    pub status: u16,
    pub text: String,
}

/// Answers a delivery. Nothing of the body is looked at before its signature is.
pub fn answer(delivery: &Delivery, secret: &[u8]) -> Answer {
    let answer = |status, text: &str| Answer {
        status,
        text: text.to_owned(),
    };
    let Some(signature) = delivery.signature else {
        return answer(401, "the request is not signed");
    };
    if !signature::is_valid(signature, delivery.body, secret) {
        return answer(401, "the signature is wrong");
    }
    match Event::parse(delivery.kind.unwrap_or_default(), delivery.body) {
        Ok(Event::Ping) => answer(200, "pong"),
        Ok(Event::Push(push)) => answer(202, &push.summary()),
        Ok(Event::Other) => answer(202, "nothing to do"),
        Err(problem) => answer(400, &format!("the body cannot be read: {problem}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECRET: &[u8] = b"secret";

    fn signed(kind: &str, body: &str) -> Answer {
        let signature = signature::sign(body.as_bytes(), SECRET);
        answer(
            &Delivery {
                kind: Some(kind),
                signature: Some(&signature),
                body: body.as_bytes(),
            },
            SECRET,
        )
    }

    #[test]
    fn events_are_answered_by_kind() {
        let push = r#"{"ref":"refs/heads/main","repository":{"full_name":"ada/engine"},"commits":[{},{}]}"#;
        for (kind, body, status, text) in [
            ("ping", "{}", 200, "pong"),
            (
                "push",
                push,
                202,
                "2 commits to refs/heads/main of ada/engine",
            ),
            ("star", "{}", 202, "nothing to do"),
        ] {
            assert_eq!(
                signed(kind, body),
                Answer {
                    status,
                    text: text.to_owned()
                }
            );
        }
        assert_eq!(signed("push", "{").status, 400);
    }

    #[test]
    fn nobody_else_is_answered() {
        let unsigned = Delivery {
            kind: Some("ping"),
            signature: None,
            body: b"{}",
        };
        assert_eq!(answer(&unsigned, SECRET).status, 401);
        let forged = signature::sign(b"{}", b"another secret");
        assert_eq!(
            answer(
                &Delivery {
                    signature: Some(&forged),
                    ..unsigned
                },
                SECRET
            )
            .status,
            401
        );
    }
}
