//! Which rows of a list are shown.

use std::sync::Arc;

use crate::telemetry::{Invocation, Level, Log, Outcome};
use crate::tui::text::holds;

/// Which invocations are kept by how they ended.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Kept {
    #[default]
    All,
    Failed,
    Cold,
}

/// What rows must have to be shown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Filter {
    /// In lower case.
    pub text: String,
    pub function: Option<Arc<str>>,
    pub kept: Kept,
    pub level: Level,
}

impl Default for Filter {
    fn default() -> Filter {
        Filter { text: String::new(), function: None, kept: Kept::All, level: Level::Trace }
    }
}

impl Filter {
    pub fn shows_invocation(&self, i: &Invocation) -> bool {
        let kept = match self.kept {
            Kept::All => true,
            Kept::Failed => i.outcome != Outcome::Succeeded,
            Kept::Cold => i.cold,
        };
        let error = match &i.outcome {
            Outcome::Succeeded => ("", ""),
            Outcome::Failed { kind, message } => (kind.as_str(), message.as_str()),
            Outcome::Refused { message } => ("refused", message.as_str()),
        };
        let texts = [i.function.as_bytes(), i.trigger.as_bytes(), i.trace.as_str().as_bytes(), i.id.as_bytes(), error.0.as_bytes()];
        kept && self.function.as_ref().is_none_or(|name| *name == i.function)
            && (texts.into_iter().any(|text| holds(text, &self.text))
                || holds(error.1.as_bytes(), &self.text)
                || holds(i.event.kept(), &self.text)
                || holds(i.answer.kept(), &self.text))
    }

    pub fn shows_log(&self, log: &Log) -> bool {
        log.level >= self.level
            && self.function.as_ref().is_none_or(|name| *name == log.function)
            && (holds(log.text.as_bytes(), &self.text)
                || holds(log.function.as_bytes(), &self.text)
                || holds(log.trace.as_str().as_bytes(), &self.text))
    }

    /// What is filtered by, in words; empty where everything is shown.
    pub fn words(&self) -> String {
        let mut words = Vec::new();
        match self.kept {
            Kept::All => {}
            Kept::Failed => words.push("failed".to_owned()),
            Kept::Cold => words.push("cold".to_owned()),
        }
        if self.level > Level::Trace {
            words.push(format!("{} and graver", self.level.label()));
        }
        words.extend(self.function.as_ref().map(|name| format!("function {name}")));
        if !self.text.is_empty() {
            words.push(format!("“{}”", self.text));
        }
        words.join(", ")
    }

    /// Whether everything is shown.
    pub fn is_off(&self) -> bool {
        *self == Filter::default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::telemetry::Record;
    use crate::tui::sample;

    #[test]
    fn rows_are_found_by_function_end_and_any_text_in_them() {
        let records: Vec<Record> = sample::checkout(0).into_iter().chain(sample::failure(0)).collect();
        let shown = |filter: Filter| {
            let rows = records.iter().filter_map(|record| match record {
                Record::Invocation(i) if filter.shows_invocation(i) => Some(i.function.to_string()),
                Record::Log(l) if filter.shows_log(l) => Some(format!("{} {}", l.level.label(), l.function)),
                _ => None,
            });
            rows.collect::<Vec<_>>().join(", ")
        };
        let all = Filter::default();
        for (filter, expected) in [
            (Filter { kept: Kept::Failed, level: Level::Error, ..all.clone() }, "ERROR pay, pay"),
            (Filter { kept: Kept::Cold, text: "order o-17".into(), ..all.clone() }, "INFO createOrder"),
            (Filter { text: "\"total\\\":840".into(), ..all.clone() }, "createOrder"),
            (Filter { text: "typeerror".into(), ..all.clone() }, "pay"),
            (Filter { function: Some("confirm".into()), ..all.clone() }, "confirm"),
            (Filter { text: "queue orders".into(), ..all }, "confirm"),
        ] {
            assert_eq!(shown(filter.clone()), expected, "{filter:?}");
        }
    }
}
