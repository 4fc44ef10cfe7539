//! JUnit XML: what CI systems read test results from.
//!
//! There is no one schema. This writes what the schemas in use have in common (the one that Ant's reports are described by, and the one
//! that Jenkins checks with): a suite has `name`, `timestamp` without a zone, `hostname`, `tests`, `failures`, `errors` and `time`, and in
//! this order `properties`, its cases, `system-out` and `system-err`; a case has `name`, `classname` and `time`.

use std::fmt::Write;

use chrono::{DateTime, Utc};

/// A group of cases.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Suite {
    pub name: String,
    pub cases: Vec<Case>,
    /// What is worth a word and fails nothing.
    pub out: String,
}

/// Something that was tried.
#[derive(Clone, Debug, PartialEq)]
pub struct Case {
    pub name: String,
    pub seconds: f64,
    pub outcome: Outcome,
}

#[derive(Clone, Debug, PartialEq)]
pub enum Outcome {
    Passed,
    Skipped,
    /// In one line, as a kind, and in full.
    Failed {
        message: String,
        kind: &'static str,
        text: String,
    },
}

impl Case {
    pub fn new(name: impl Into<String>, outcome: Outcome) -> Case {
        Case { name: name.into(), seconds: 0.0, outcome }
    }
}

/// The suites as a file.
pub fn xml(suites: &[Suite], began: DateTime<Utc>) -> String {
    let mut xml = String::from("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites>\n");
    for (id, suite) in suites.iter().enumerate() {
        let failures = suite.cases.iter().filter(|case| matches!(case.outcome, Outcome::Failed { .. })).count();
        let seconds = suite.cases.iter().fold(0.0, |sum, case| sum + case.seconds);
        let _ = writeln!(
            xml,
            "  <testsuite id=\"{id}\" package=\"emu\" name=\"{}\" timestamp=\"{}\" hostname=\"localhost\" tests=\"{}\" failures=\"{failures}\" \
             errors=\"0\" time=\"{seconds:.3}\">\n    <properties/>",
            attribute(&suite.name),
            began.format("%Y-%m-%dT%H:%M:%S"),
            suite.cases.len(),
        );
        suite.cases.iter().for_each(|case| write_case(&mut xml, &suite.name, case));
        let _ = writeln!(xml, "    <system-out>{}</system-out>\n    <system-err/>\n  </testsuite>", text(&suite.out));
    }
    xml.push_str("</testsuites>\n");
    xml
}

fn write_case(xml: &mut String, suite: &str, case: &Case) {
    let (name, suite, seconds) = (attribute(&case.name), attribute(suite), case.seconds);
    let head = format!("    <testcase name=\"{name}\" classname=\"{suite}\" time=\"{seconds:.3}\"");
    let _ = match &case.outcome {
        Outcome::Passed => writeln!(xml, "{head}/>"),
        Outcome::Skipped => writeln!(xml, "{head}>\n      <skipped/>\n    </testcase>"),
        Outcome::Failed { message, kind, text: full } => writeln!(
            xml,
            "{head}>\n      <failure message=\"{}\" type=\"{kind}\">{}</failure>\n    </testcase>",
            attribute(message),
            text(full)
        ),
    };
}

/// Text between tags.
fn text(raw: &str) -> String {
    let mut escaped = String::with_capacity(raw.len());
    for c in raw.chars() {
        match c {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            // As part of `]]>` it may not stand alone.
            '>' => escaped.push_str("&gt;"),
            // It would be read as a line feed.
            '\r' => escaped.push_str("&#13;"),
            c if allowed(c) => escaped.push(c),
            _ => escaped.push('\u{fffd}'),
        }
    }
    escaped
}

/// Text between quotes. Line feeds and tabs would be read as spaces if they were not written as numbers.
fn attribute(raw: &str) -> String {
    let mut escaped = String::with_capacity(raw.len());
    for c in text(raw).chars() {
        match c {
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&apos;"),
            '\n' | '\t' => {
                let _ = write!(escaped, "&#{};", c as u32);
            }
            c => escaped.push(c),
        }
    }
    escaped
}

/// What a document may have at all. Source: XML 1.0, production 2.
fn allowed(c: char) -> bool {
    matches!(c, '\t' | '\n' | '\r' | '\u{20}'..='\u{d7ff}' | '\u{e000}'..='\u{fffd}' | '\u{10000}'..='\u{10ffff}')
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use quick_xml::Reader;
    use quick_xml::events::Event;

    use super::*;

    fn began() -> DateTime<Utc> {
        DateTime::from_timestamp(1_780_000_000, 0).expect("a time")
    }

    fn failed(message: &str, text: &str) -> Outcome {
        Outcome::Failed { message: message.into(), kind: "budget", text: text.into() }
    }

    /// Every text and attribute of a document, unescaped, in order.
    fn read(xml: &str) -> Vec<(String, String)> {
        let mut reader = Reader::from_str(xml);
        let (mut found, mut path) = (Vec::new(), Vec::new());
        let attributes = |tag: &quick_xml::events::BytesStart<'_>, found: &mut Vec<(String, String)>| {
            let name = tag.name().as_ref().to_owned();
            for attribute in tag.attributes() {
                let attribute = attribute.expect("well-formed");
                let key = attribute.key.as_ref().to_owned();
                let value = quick_xml::escape::unescape(&attribute.value).expect("known entities").into_owned();
                found.push((format!("{name}@{key}"), value));
            }
            name
        };
        loop {
            match reader.read_event().expect("well-formed") {
                Event::Start(tag) => {
                    let name = attributes(&tag, &mut found);
                    found.push((format!("{name}#"), String::new()));
                    path.push(found.len() - 1);
                }
                Event::Empty(tag) => drop(attributes(&tag, &mut found)),
                Event::End(_) => _ = path.pop(),
                Event::Text(piece) => {
                    if let Some(at) = path.last() {
                        found[*at].1.push_str(&piece);
                    }
                }
                Event::GeneralRef(entity) => {
                    let entity = format!("&{};", &*entity);
                    let piece = quick_xml::escape::unescape(&entity).expect("known").into_owned();
                    if let Some(at) = path.last() {
                        found[*at].1.push_str(&piece);
                    }
                }
                Event::Eof => return found,
                _ => {}
            }
        }
    }

    fn value<'a>(read: &'a [(String, String)], name: &str) -> Vec<&'a str> {
        read.iter().filter(|(known, _)| known == name).map(|(_, value)| value.as_str()).collect()
    }

    #[test]
    fn a_suite_counts_its_cases_and_has_its_parts_in_the_order_of_the_schema() {
        let cases = vec![
            Case { seconds: 1.25, ..Case::new("npm test", Outcome::Passed) },
            Case::new("POST /orders", failed("too dear", "a\nb")),
            Case::new("GET /x", Outcome::Skipped),
        ];
        let xml = xml(&[Suite { name: "budgets".into(), cases, out: "warning: w".into() }, Suite::default()], began());
        let read = read(&xml);
        for (name, wanted) in [("tests", ["3", "0"]), ("failures", ["1", "0"]), ("errors", ["0", "0"]), ("time", ["1.250", "0.000"])] {
            assert_eq!(value(&read, &format!("testsuite@{name}")), wanted, "{name}");
        }
        assert_eq!(value(&read, "testsuite@timestamp")[0], "2026-05-28T20:26:40");
        assert_eq!(value(&read, "testcase@classname"), ["budgets"; 3]);
        let order: Vec<usize> =
            ["<properties/>", "<testcase", "<system-out>", "<system-err/>"].iter().filter_map(|tag| xml.find(tag)).collect();
        assert!(order.len() == 4 && order.is_sorted(), "{xml}");
    }

    proptest! {
        #[test]
        fn whatever_stands_in_a_message_is_read_back_as_it_was(message in "\\PC*|[\\x00-\\x7f]*", body in any::<String>()) {
            let xml = xml(&[Suite { name: message.clone(), cases: vec![Case::new("x", failed(&message, &body))], out: body.clone() }], began());
            let read = read(&xml);
            let kept = |text: &str| text.chars().map(|c| if allowed(c) { c } else { '\u{fffd}' }).collect::<String>();
            prop_assert_eq!(value(&read, "failure@message"), [kept(&message)]);
            prop_assert_eq!(value(&read, "failure#"), [kept(&body)]);
        }
    }
}
