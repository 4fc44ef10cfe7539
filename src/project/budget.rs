//! `emu.budget`: what one call of a route or function may cost.

use super::model::{Budget, EventSource, Function, Method, Problem};
use super::problem::did_you_mean;
use super::yaml::{Node, Value};

/// Most decimals of an amount: as many as prices have.
const DECIMALS_MAX: usize = 18;
/// Most digits before the point.
const DOLLAR_DIGITS_MAX: usize = 9;
/// Most routes and functions that a help text names.
const NAMED_MAX: usize = 12;

/// The budgets, in the order of the file. A wrong amount is an error; a name that nothing has is a warning, for it costs nothing.
pub(super) fn build(root: &Node, functions: &[Function], problems: &mut Vec<Problem>) -> Vec<Budget> {
    let Some(node) = root.get("emu").and_then(|emu| emu.get("budget")) else { return Vec::new() };
    let known: Vec<String> = functions.iter().flat_map(names).collect();
    let mut budgets = Vec::new();
    for entry in node.entries() {
        let subject = subject(&entry.key);
        // Values of other kinds are reported by the check.
        let Some(written) = entry.value.scalar().filter(|_| entry.value.value != Value::Unknown) else { continue };
        match dollars(&written) {
            Some(dollars) => budgets.push(Budget { subject: subject.clone(), dollars, at: entry.at.clone() }),
            None => {
                let shown: String = written.chars().take(40).collect();
                let message = format!("`{shown}` is no budget for `{}`", entry.key);
                problems
                    .push(Problem::error(&entry.value.at, message).with_help("write what one call may cost in dollars, such as 0.00004"));
            }
        }
        // A route of any method is one of each, too.
        let any = subject.split_once(' ').map(|(_, path)| format!("ANY {path}"));
        if !known.contains(&subject) && !any.is_some_and(|any| known.contains(&any)) {
            let message = format!("`emu.budget` names `{}`, which is neither a route nor a function", entry.key);
            problems.push(Problem::warning(&entry.at, message).with_help(nearest(&subject, &known)));
        }
    }
    budgets
}

/// A name as it is compared: one space between words, the method in capitals.
fn subject(written: &str) -> String {
    let mut words: Vec<String> = written.split_whitespace().map(str::to_owned).collect();
    if let [method, _, ..] = words.as_mut_slice() {
        *method = method.to_uppercase();
    }
    words.join(" ")
}

/// A function's own name, and those of its routes.
fn names(function: &Function) -> Vec<String> {
    let route = |method: &Method, path: &str| match method {
        Method::Any => format!("ANY /{}", path.trim_matches('/')),
        Method::Only(method) => format!("{method} /{}", path.trim_matches('/')),
    };
    let routes = function.events.iter().filter_map(|event| match event {
        EventSource::HttpApi { path, .. } if matches!(path.trim_matches('/'), "*" | "$default") => Some("$default".to_owned()),
        EventSource::HttpApi { method, path, .. } | EventSource::Http { method, path, .. } => Some(route(method, path)),
        EventSource::Schedule(_) | EventSource::Queue(_) | EventSource::Bucket(_) | EventSource::Stream(_) | EventSource::Topic(_) => None,
    });
    std::iter::once(function.name.clone()).chain(routes).collect()
}

fn nearest(subject: &str, known: &[String]) -> String {
    if let Some(near) = did_you_mean(subject, known.iter().map(String::as_str)) {
        return format!("did you mean `{near}`?");
    }
    if known.len() > NAMED_MAX {
        return "a route is written as its event has it, such as `POST /orders`".to_owned();
    }
    format!("there are {}", known.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", "))
}

/// An amount of dollars without its sign; `None` where it is none.
fn dollars(written: &str) -> Option<String> {
    let text = written.trim();
    let text = text.strip_prefix('$').unwrap_or(text);
    let (whole, decimals) = text.split_once('.').unwrap_or((text, "0"));
    let digits = |part: &str, most: usize| (1..=most).contains(&part.len()) && part.bytes().all(|b| b.is_ascii_digit());
    (digits(whole, DOLLAR_DIGITS_MAX) && digits(decimals, DECIMALS_MAX)).then(|| text.to_owned())
}
