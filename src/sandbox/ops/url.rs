//! URLs as the URL Standard reads and changes them.

use super::{Answer, OpError, read};
use ::url::{Url, quirks};
use serde_json::json;

/// The longest URL, in bytes.
const URL_BYTES_MAX: usize = 1 << 20;

fn parts(url: &Url) -> Answer {
    let text = json!({
        "href": quirks::href(url), "origin": quirks::origin(url), "protocol": quirks::protocol(url), "username": quirks::username(url),
        "password": quirks::password(url), "host": quirks::host(url), "hostname": quirks::hostname(url), "port": quirks::port(url),
        "pathname": quirks::pathname(url), "search": quirks::search(url), "hash": quirks::hash(url),
    });
    Ok((text.to_string(), Vec::new()))
}

fn invalid() -> OpError {
    OpError::usage("Invalid URL")
}

/// `[input]` or `[input, base]` → the parts of the URL. Fails with a `TypeError`.
pub(super) fn parse(meta: &str) -> Answer {
    if meta.len() > URL_BYTES_MAX {
        return Err(OpError::range("the URL is longer than 1 MiB"));
    }
    let words: Vec<String> = read(meta)?;
    let url = match words.as_slice() {
        [input] => Url::parse(input),
        [input, base] => Url::parse(base).map_err(|_| invalid())?.join(input),
        _ => return Err(invalid()),
    };
    parts(&url.map_err(|_| invalid())?)
}

/// `[href, part, value]` → the parts of the URL with one of them set. What cannot be set leaves the URL as it was.
pub(super) fn set(meta: &str) -> Answer {
    if meta.len() > URL_BYTES_MAX {
        return Err(OpError::range("the URL is longer than 1 MiB"));
    }
    let [href, part, value]: [String; 3] = read(meta)?;
    let mut url = Url::parse(&href).map_err(|_| invalid())?;
    // A refused value is not an error in this interface: the URL stays.
    let _ = match part.as_str() {
        "protocol" => quirks::set_protocol(&mut url, &value),
        "username" => quirks::set_username(&mut url, &value),
        "password" => quirks::set_password(&mut url, &value),
        "host" => quirks::set_host(&mut url, &value),
        "hostname" => quirks::set_hostname(&mut url, &value),
        "port" => quirks::set_port(&mut url, &value),
        "pathname" => {
            quirks::set_pathname(&mut url, &value);
            Ok(())
        }
        "search" => {
            quirks::set_search(&mut url, &value);
            Ok(())
        }
        "hash" => {
            quirks::set_hash(&mut url, &value);
            Ok(())
        }
        _ => return Err(OpError::usage(format!("a URL has no part `{part}`"))),
    };
    parts(&url)
}

/// `["ascii" | "unicode", domain]` → the domain in that form; empty where it is invalid.
pub(super) fn domain(meta: &str) -> Answer {
    let [form, domain]: [String; 2] = read(meta)?;
    let answer = if form == "ascii" { quirks::domain_to_ascii(&domain) } else { quirks::domain_to_unicode(&domain) };
    Ok((answer, Vec::new()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn field(answer: Answer, key: &str) -> String {
        match answer {
            Ok((text, _)) => serde_json::from_str::<serde_json::Value>(&text).unwrap()[key].as_str().unwrap().to_owned(),
            Err(error) => error.name.to_owned(),
        }
    }

    #[test]
    fn a_url_has_the_parts_that_browsers_show() {
        for (meta, key, expected) in [
            (r#"["https://u:p@EXAMPLE.com:8080/a/../b?q=1#h"]"#, "href", "https://u:p@example.com:8080/b?q=1#h"),
            (r#"["https://example.com:443/"]"#, "port", ""),
            (r#"["../x?y", "http://h/a/b/c"]"#, "href", "http://h/a/x?y"),
            (r#"["http://münchen.de/ü"]"#, "href", "http://xn--mnchen-3ya.de/%C3%BC"),
            (r#"["nothing"]"#, "href", "TypeError"),
            (r#"["/x", "nothing"]"#, "href", "TypeError"),
        ] {
            assert_eq!(field(parse(meta), key), expected, "{meta}");
        }
    }

    #[test]
    fn one_part_can_be_set() {
        for (meta, expected) in [
            (r#"["http://h/a?b", "search", "c=d"]"#, "http://h/a?c=d"),
            (r#"["http://h/a?b", "search", ""]"#, "http://h/a"),
            (r#"["http://h/a", "port", "81"]"#, "http://h:81/a"),
            (r#"["http://h/a", "port", "x"]"#, "http://h/a"),
            (r#"["http://h/a", "pathname", "/ü"]"#, "http://h/%C3%BC"),
        ] {
            assert_eq!(field(set(meta), "href"), expected, "{meta}");
        }
    }
}
