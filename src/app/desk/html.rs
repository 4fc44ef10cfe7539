//! HTML as text, as well as a terminal can show it: paragraphs, list items, links.

/// What a page says, and where it leads.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Page {
    pub text: String,
    /// Each once, in their order.
    pub links: Vec<String>,
}

/// Bytes of a page that are read.
const BYTES_MAX: usize = 1 << 20;
/// Links of a page.
const LINKS_MAX: usize = 200;
/// Elements that begin a new line.
const BLOCKS: [&str; 17] =
    ["p", "div", "br", "tr", "li", "ul", "ol", "table", "h1", "h2", "h3", "h4", "h5", "h6", "section", "blockquote", "hr"];
/// Elements whose content is not for readers.
const SILENT: [&str; 4] = ["script", "style", "head", "title"];

/// Reads a page. Never fails: what is not understood is text.
pub(super) fn read(source: &str) -> Page {
    let mut page = Page::default();
    let mut rest = &source[..source.floor_char_boundary(BYTES_MAX)];
    while let Some(start) = rest.find('<') {
        say(&mut page.text, &rest[..start]);
        rest = &rest[start..];
        if let Some(comment) = rest.strip_prefix("<!--") {
            rest = comment.find("-->").map_or("", |end| &comment[end + 3..]);
            continue;
        }
        let Some(end) = tag_end(rest) else { break };
        let tag = &rest[1..end];
        rest = &rest[end + 1..];
        let name: String =
            tag.trim_start_matches('/').chars().take_while(char::is_ascii_alphanumeric).collect::<String>().to_ascii_lowercase();
        if BLOCKS.contains(&name.as_str()) && !page.text.ends_with('\n') && !page.text.is_empty() {
            page.text.push('\n');
        }
        if name == "li" && !tag.starts_with('/') {
            page.text.push_str("- ");
        }
        if SILENT.contains(&name.as_str()) && !tag.starts_with('/') {
            let closing = format!("</{name}");
            let lower = rest.to_ascii_lowercase();
            rest = lower.find(&closing).map_or("", |at| &rest[at..]);
        }
        if let Some(link) = (name == "a").then(|| attribute(tag, "href")).flatten()
            && page.links.len() < LINKS_MAX
            && !page.links.contains(&link)
        {
            page.links.push(link);
        }
    }
    if !rest.starts_with('<') {
        say(&mut page.text, rest);
    }
    page.text = page.text.trim().to_owned();
    page
}

/// Where a tag ends; a `>` in quotes does not end it.
fn tag_end(text: &str) -> Option<usize> {
    let mut quote = None;
    text.char_indices().find_map(|(at, c)| {
        match (quote, c) {
            (Some(open), c) if c == open => quote = None,
            (None, '"' | '\'') => quote = Some(c),
            (None, '>') => return Some(at),
            _ => {}
        }
        None
    })
}

fn attribute(tag: &str, name: &str) -> Option<String> {
    let lower = tag.to_ascii_lowercase();
    let at = lower.match_indices(name).map(|(at, _)| at).find(|at| lower[..*at].ends_with(char::is_whitespace))?;
    let value = tag[at + name.len()..].trim_start().strip_prefix('=')?.trim_start();
    let value = match value.chars().next()? {
        quote @ ('"' | '\'') => value[1..].split(quote).next()?,
        _ => value.split(|c: char| c.is_whitespace()).next()?,
    };
    Some(decoded(value)).filter(|value| !value.is_empty())
}

/// Adds text; any run of blanks is one.
fn say(into: &mut String, text: &str) {
    for c in decoded(text).chars() {
        if !c.is_whitespace() {
            into.push(c);
        } else if !into.is_empty() && !into.ends_with(char::is_whitespace) {
            into.push(' ');
        }
    }
}

fn decoded(text: &str) -> String {
    if !text.contains('&') {
        return text.to_owned();
    }
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find('&') {
        out.push_str(&rest[..at]);
        rest = &rest[at..];
        let end = rest.char_indices().take(10).find(|(_, c)| *c == ';').map(|(end, _)| end);
        let c = end.and_then(|end| character(&rest[1..end]));
        match (end, c) {
            (Some(end), Some(c)) => {
                out.push(c);
                rest = &rest[end + 1..];
            }
            _ => {
                out.push('&');
                rest = &rest[1..];
            }
        }
    }
    out.push_str(rest);
    out
}

fn character(name: &str) -> Option<char> {
    Some(match name {
        "amp" => '&',
        "lt" => '<',
        "gt" => '>',
        "quot" => '"',
        "apos" => '\'',
        "nbsp" => ' ',
        "euro" => '€',
        "copy" => '©',
        "mdash" => '—',
        "ndash" => '–',
        "hellip" => '…',
        _ => {
            let digits = name.strip_prefix('#')?;
            let code = match digits.strip_prefix(['x', 'X']) {
                Some(hex) => u32::from_str_radix(hex, 16).ok()?,
                None => digits.parse().ok()?,
            };
            char::from_u32(code)?
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mail_reads_as_its_sender_meant_it() {
        let page = read(
            "<html><head><title>x</title><style>p > a { color: red }</style></head><body><h1>Hello &amp; welcome</h1>\n<p>Your order\n  <b>o-17</b> costs 8&#46;40 &euro;.</p>\
             <ul><li>tea<li>milk</ul><a class=b href=\"https://shop.example/o?a=1&amp;b=>\">Look</a> <a href='https://shop.example/o?a=1&amp;b=>'>again</a><!-- <a href=no> --></body></html>",
        );
        assert_eq!(page.text, "Hello & welcome\nYour order o-17 costs 8.40 €.\n- tea\n- milk\nLook again");
        assert_eq!(page.links, ["https://shop.example/o?a=1&b=>"]);
    }

    #[test]
    fn what_is_not_html_is_text_and_nothing_panics() {
        for (source, text) in [
            ("a < b", "a"),
            ("plain", "plain"),
            ("<", ""),
            ("<a href", ""),
            ("&#xFFFFFFFF; &nope; &", "&#xFFFFFFFF; &nope; &"),
            ("<script>x", ""),
            ("<a href=>é</a>", "é"),
            ("", ""),
        ] {
            assert_eq!(read(source).text, text, "{source}");
        }
    }
}
