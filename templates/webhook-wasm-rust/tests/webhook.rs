//! Sends deliveries from outside, as somebody else's system would. Run it with: emu exec -- cargo test

use webhook::signature;

/// The one of serverless.yaml, where the environment has none.
fn secret() -> String {
    std::env::var("WEBHOOK_SECRET").unwrap_or("only-for-development".to_owned())
}

/// The status and the body of the answer.
fn deliver(kind: &str, signature: Option<&str>, body: &str) -> (u16, String) {
    let url = std::env::var("EMU_URL").expect("run this under emu: `emu exec -- cargo test`");
    let agent: ureq::Agent = ureq::Agent::config_builder()
        .http_status_as_error(false)
        .build()
        .into();
    let mut request = agent
        .post(format!("{url}/webhook"))
        .header("x-github-event", kind);
    if let Some(signature) = signature {
        request = request.header("x-hub-signature-256", signature);
    }
    let mut response = request.send(body).expect("an answer");
    (
        response.status().as_u16(),
        response.body_mut().read_to_string().expect("a body"),
    )
}

#[test]
fn a_signed_delivery_is_taken() {
    let body = r#"{"ref":"refs/heads/main","repository":{"full_name":"ada/engine"},"commits":[{"id":"1"}]}"#;
    let signature = signature::sign(body.as_bytes(), secret().as_bytes());
    assert_eq!(
        deliver("push", Some(&signature), body),
        (202, "1 commits to refs/heads/main of ada/engine".to_owned())
    );
}

#[test]
fn a_delivery_that_is_not_signed_or_changed_on_its_way_is_refused() {
    let signature = signature::sign(b"{}", secret().as_bytes());
    assert_eq!(deliver("ping", Some(&signature), "{}").0, 200);
    assert_eq!(deliver("ping", Some(&signature), "{ }").0, 401);
    assert_eq!(deliver("ping", None, "{}").0, 401);
}
