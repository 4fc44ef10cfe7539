//! What the command line prints for people.

use std::io::{IsTerminal, Write};
use std::net::SocketAddr;

/// Whether standard error takes colours.
pub fn colours() -> bool {
    std::io::stderr().is_terminal() && std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty())
}

/// Prints why emu stops.
pub fn error(error: &anyhow::Error) {
    let (red, plain) = if colours() { ("\x1b[1;31m", "\x1b[0m") } else { ("", "") };
    let mut text = format!("{red}error{plain}: {error}");
    for cause in error.chain().skip(1) {
        text.push_str(&format!("\n  because: {cause}"));
    }
    // Where standard error is closed there is nobody to tell.
    let _ = writeln!(std::io::stderr(), "{text}");
}

/// An address as people type it.
pub fn url(address: SocketAddr) -> String {
    let ip = if address.ip().is_unspecified() { "127.0.0.1".to_owned() } else { bracketed(address) };
    format!("http://{ip}:{}", address.port())
}

fn bracketed(address: SocketAddr) -> String {
    match address {
        SocketAddr::V4(v4) => v4.ip().to_string(),
        SocketAddr::V6(v6) => format!("[{}]", v6.ip()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_printed_as_people_type_them() {
        for (address, wanted) in [("0.0.0.0:80", "http://127.0.0.1:80"), ("[::1]:80", "http://[::1]:80"), ("10.0.0.7:80", "http://10.0.0.7:80")] {
            assert_eq!(url(address.parse().expect("an address")), wanted);
        }
    }
}
