//! The AWS query protocol: parameters of a form in, XML out. Source: the Smithy page "AWS query protocol".

use std::collections::BTreeMap;

use http::StatusCode;
use http::header::CONTENT_TYPE;
use quick_xml::events::{BytesDecl, BytesEnd, BytesStart, BytesText, Event};

use crate::wire::http::{Body, BodyError, Request, Response, header, with_error_code};

/// Parameters of one request.
const PARAMETERS_MAX: usize = 10_000;
/// Dots in one parameter's name.
const DEPTH_MAX: usize = 12;

/// A form whose names have dots, as the tree that they spell.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Parameters {
    value: Option<String>,
    members: BTreeMap<String, Parameters>,
}

/// Why a form could not be read.
#[derive(Debug, thiserror::Error)]
pub enum Malformed {
    #[error(transparent)]
    Body(#[from] BodyError),
    #[error("the request has more than {PARAMETERS_MAX} parameters")]
    TooMany,
    #[error("the name of a parameter is nested deeper than {DEPTH_MAX}")]
    TooDeep,
}

impl Parameters {
    /// Reads `a.b.1=x&…`; later values of the same name win.
    pub fn parse(form: &[u8]) -> Result<Parameters, Malformed> {
        let mut root = Parameters::default();
        for (n, (name, value)) in url::form_urlencoded::parse(form).enumerate() {
            if n >= PARAMETERS_MAX {
                return Err(Malformed::TooMany);
            }
            if name.split('.').count() > DEPTH_MAX {
                return Err(Malformed::TooDeep);
            }
            let leaf = name.split('.').fold(&mut root, |node, part| node.members.entry(part.to_owned()).or_default());
            leaf.value = Some(value.into_owned());
        }
        Ok(root)
    }

    /// The value itself.
    pub fn value(&self) -> Option<&str> {
        self.value.as_deref()
    }

    /// The member of that name.
    pub fn member(&self, name: &str) -> Option<&Parameters> {
        self.members.get(name)
    }

    /// The value of the member of that name.
    pub fn text(&self, name: &str) -> Option<&str> {
        self.member(name)?.value()
    }

    /// The members that are plain values.
    pub fn texts(&self) -> impl Iterator<Item = (&str, &str)> {
        self.members.iter().filter_map(|(name, member)| Some((name.as_str(), member.value()?)))
    }

    /// The items of a list in the order of their numbers, whether `NAME.1`, `NAME.member.1` or `NAME.entry.1`.
    pub fn list(&self, name: &str) -> Vec<&Parameters> {
        let Some(list) = self.member(name) else { return Vec::new() };
        let list = list.member("member").or_else(|| list.member("entry")).unwrap_or(list);
        let mut items: Vec<(u32, &Parameters)> = list.members.iter().filter_map(|(n, item)| Some((n.parse().ok()?, item))).collect();
        items.sort_by_key(|(n, _)| *n);
        items.into_iter().map(|(_, item)| item).collect()
    }

    /// The plain items of a list.
    pub fn list_of_texts(&self, name: &str) -> Vec<String> {
        self.list(name).into_iter().filter_map(|item| item.value().map(str::to_owned)).collect()
    }

    /// The pairs of a map: items that each have a member `key` and a member `value`.
    pub fn map<'a>(&'a self, name: &str, key: &str, value: &str) -> Vec<(String, &'a Parameters)> {
        self.list(name).into_iter().filter_map(|item| Some((item.text(key)?.to_owned(), item.member(value)?))).collect()
    }

    /// The pairs of a map of plain values.
    pub fn map_of_texts(&self, name: &str, key: &str, value: &str) -> BTreeMap<String, String> {
        self.map(name, key, value).into_iter().filter_map(|(key, item)| Some((key, item.value()?.to_owned()))).collect()
    }
}

/// The parameters of a request: those of its URL and those of its body, which may have `bytes_max` bytes.
pub async fn parameters(request: Request, bytes_max: usize) -> Result<Parameters, Malformed> {
    let (parts, body) = request.into_parts();
    let body = body.collect(bytes_max).await?;
    let form = header(&parts.headers, CONTENT_TYPE.as_str()).is_none_or(|kind| kind.starts_with("application/x-www-form-urlencoded"));
    let mut all = parts.uri.query().unwrap_or_default().as_bytes().to_vec();
    if form && !body.is_empty() {
        all.push(b'&');
        all.extend_from_slice(&body);
    }
    Parameters::parse(&all)
}

/// XML that is being written.
pub struct Xml(quick_xml::Writer<Vec<u8>>);

impl Default for Xml {
    fn default() -> Xml {
        Xml::new()
    }
}

impl Xml {
    /// A new document.
    pub fn new() -> Xml {
        let mut xml = Xml(quick_xml::Writer::new(Vec::new()));
        xml.write(Event::Decl(BytesDecl::new("1.0", None, None)));
        xml
    }

    /// `<NAME xmlns="NAMESPACE">…</NAME>`; no namespace where it is empty.
    pub fn root(&mut self, name: &str, namespace: &str, inside: impl FnOnce(&mut Xml)) {
        let mut start = BytesStart::new(name);
        if !namespace.is_empty() {
            start.push_attribute(("xmlns", namespace));
        }
        self.write(Event::Start(start));
        inside(self);
        self.write(Event::End(BytesEnd::new(name)));
    }

    /// `<NAME>…</NAME>`.
    pub fn element(&mut self, name: &str, inside: impl FnOnce(&mut Xml)) {
        self.root(name, "", inside);
    }

    /// `<NAME>TEXT</NAME>`.
    pub fn text(&mut self, name: &str, text: &str) {
        self.element(name, |xml| xml.write(Event::Text(BytesText::new(text))));
    }

    /// `<NAME><member>…</member>…</NAME>`.
    pub fn members<T>(&mut self, name: &str, items: impl IntoIterator<Item = T>, mut each: impl FnMut(&mut Xml, T)) {
        self.element(name, |xml| {
            for item in items {
                xml.element("member", |xml| each(xml, item));
            }
        });
    }

    /// `<NAME><member>TEXT</member>…</NAME>`.
    pub fn texts<T: AsRef<str>>(&mut self, name: &str, items: impl IntoIterator<Item = T>) {
        self.element(name, |xml| items.into_iter().for_each(|item| xml.text("member", item.as_ref())));
    }

    /// `<NAME><entry><key/><value/></entry>…</NAME>`.
    pub fn map<K: AsRef<str>, V: AsRef<str>>(&mut self, name: &str, pairs: impl IntoIterator<Item = (K, V)>) {
        self.element(name, |xml| {
            for (key, value) in pairs {
                xml.element("entry", |xml| {
                    xml.text("key", key.as_ref());
                    xml.text("value", value.as_ref());
                });
            }
        });
    }

    /// The document.
    pub fn finish(self) -> Vec<u8> {
        self.0.into_inner()
    }

    fn write(&mut self, event: Event<'_>) {
        self.0.write_event(event).expect("memory takes every byte");
    }
}

/// The answer to `action`: `<ActionResponse><ActionResult>…</ActionResult><ResponseMetadata/></ActionResponse>`.
/// `result` is `None` for actions that answer nothing.
pub fn answer(namespace: &str, action: &str, request_id: &str, result: Option<&dyn Fn(&mut Xml)>) -> Response {
    let mut xml = Xml::new();
    xml.root(&format!("{action}Response"), namespace, |xml| {
        if let Some(result) = result {
            xml.element(&format!("{action}Result"), result);
        }
        xml.element("ResponseMetadata", |xml| xml.text("RequestId", request_id));
    });
    respond(StatusCode::OK, xml, request_id)
}

/// An error: `<ErrorResponse><Error>…</Error><RequestId/></ErrorResponse>`.
pub fn error(namespace: &str, status: StatusCode, code: &str, message: &str, request_id: &str) -> Response {
    let mut xml = Xml::new();
    xml.root("ErrorResponse", namespace, |xml| {
        xml.element("Error", |xml| {
            xml.text("Type", if status.is_server_error() { "Receiver" } else { "Sender" });
            xml.text("Code", code);
            xml.text("Message", message);
        });
        xml.text("RequestId", request_id);
    });
    with_error_code(respond(status, xml, request_id), code)
}

fn respond(status: StatusCode, xml: Xml, request_id: &str) -> Response {
    let response = http::Response::builder().status(status).header("content-type", "text/xml").header("x-amzn-requestid", request_id);
    response.body(Body::from(xml.finish())).expect("identifiers are plain text")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_are_read_in_the_order_of_their_numbers_in_either_spelling() {
        for form in ["A.10=k&A.2=b&A.1=a", "A.member.1=a&A.member.10=k&A.member.2=b"] {
            let read = Parameters::parse(form.as_bytes()).expect("a form");
            assert_eq!(read.list_of_texts("A"), ["a", "b", "k"]);
        }
    }

    #[test]
    fn maps_are_read_by_their_pairs() {
        let read = Parameters::parse(b"T.1.Key=a%20b&T.1.Value=1&T.2.Key=c&T.2.Value=").expect("a form");
        let wanted = BTreeMap::from([("a b".to_owned(), "1".to_owned()), ("c".to_owned(), String::new())]);
        assert_eq!(read.map_of_texts("T", "Key", "Value"), wanted);
        assert!(read.map_of_texts("U", "Key", "Value").is_empty());
    }

    #[test]
    fn hostile_forms_are_refused() {
        let many = "a=1&".repeat(PARAMETERS_MAX + 1);
        assert!(matches!(Parameters::parse(many.as_bytes()), Err(Malformed::TooMany)));
        let deep = "a.".repeat(DEPTH_MAX) + "a=1";
        assert!(matches!(Parameters::parse(deep.as_bytes()), Err(Malformed::TooDeep)));
    }

    #[test]
    fn text_survives_the_way_through_xml() {
        let mut xml = Xml::new();
        xml.text("a", "<b> & \"c\"\r\n");
        let text = String::from_utf8(xml.finish()).expect("text");
        assert!(text.ends_with("<a>&lt;b&gt; &amp; &quot;c&quot;&#13;\n</a>"), "{text}");
    }
}
