//! The component: `wasi:http/incoming-handler`, and what connects it to the library.

#[cfg(target_family = "wasm")]
use wstd::http::{Body, Error, Request, Response};

#[cfg(target_family = "wasm")]
#[wstd::http_server]
async fn main(request: Request<Body>) -> Result<Response<Body>, Error> {
    let (head, mut body) = request.into_parts();
    let header = |name: &str| head.headers.get(name).and_then(|value| value.to_str().ok());
    let secret = std::env::var("WEBHOOK_SECRET").unwrap_or_default();
    let answer = if secret.is_empty() {
        eprintln!("WEBHOOK_SECRET is not set");
        webhook::Answer {
            status: 500,
            text: "the webhook is not configured".to_owned(),
        }
    } else {
        let delivery = webhook::Delivery {
            kind: header("x-github-event"),
            signature: header("x-hub-signature-256"),
            body: body.contents().await?,
        };
        webhook::answer(&delivery, secret.as_bytes())
    };
    println!("{} {}", answer.status, answer.text);
    let response = Response::builder()
        .status(answer.status)
        .header("content-type", "text/plain; charset=utf-8");
    Ok(response.body(answer.text.into())?)
}

#[cfg(not(target_family = "wasm"))]
fn main() {
    eprintln!("this is a component: build it with --target wasm32-wasip2");
    std::process::exit(1);
}
