//! What a pipeline does, told to whoever asks.

use std::time::Duration;

use super::plan::{Merge, Plan, Sample, Source, Step};

/// What is told of how a pipeline runs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Explain {
    #[default]
    Nothing,
    /// What would be done, without doing it.
    Plan,
    /// What was done.
    Run,
}

/// In which form.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Format {
    #[default]
    Text,
    Json,
}

/// What a run took.
pub(super) struct Stats {
    pub took: Duration,
    pub scanned: u64,
    pub results: usize,
    pub peak: usize,
}

/// A plan, as text or as JSON.
pub(super) fn plan(plan: &Plan, format: Format) -> String {
    told(plan, format, None)
}

/// A plan, and what it took.
pub(super) fn ran(plan: &Plan, format: Format, stats: &Stats) -> String {
    told(plan, format, Some(stats))
}

fn told(plan: &Plan, format: Format, stats: Option<&Stats>) -> String {
    let mut lines = Vec::new();
    describe(plan, 0, &mut lines);
    match format {
        Format::Text => {
            let mut text = String::from("Plan:\n");
            for (depth, line) in &lines {
                text.push_str(&format!("{}{line}\n", "  ".repeat(depth + 1)));
            }
            if let Some(Stats { took, scanned, results, peak }) = stats {
                let ms = took.as_secs_f64() * 1e3;
                text.push_str(&format!(
                    "Execution:\n  results returned: {results}\n  documents read: {scanned}\n  bytes kept at most: {peak}\n  execution duration: {ms:.3}ms\n"
                ));
            }
            text
        }
        Format::Json => {
            let stages: Vec<serde_json::Value> =
                lines.iter().map(|(depth, line)| serde_json::json!({ "depth": depth, "stage": line })).collect();
            let mut told = serde_json::json!({ "plan": stages });
            if let Some(Stats { took, scanned, results, peak }) = stats {
                told["execution"] = serde_json::json!({
                    "resultsReturned": results,
                    "documentsRead": scanned,
                    "bytesKeptAtMost": peak,
                    "executionDurationMicros": u64::try_from(took.as_micros()).unwrap_or(u64::MAX),
                });
            }
            told.to_string()
        }
    }
}

/// A line for each stage, with how deep it lies within others.
fn describe(plan: &Plan, depth: usize, into: &mut Vec<(usize, String)>) {
    let source = match &plan.source {
        Source::Collection(path) => format!("collection /{path}"),
        Source::Group(parent, id) => format!("collection_group {id} beneath /{}", parent.path),
        Source::Database => "database".to_owned(),
        Source::Documents(names) => format!("documents: {}", names.len()),
        Source::Subcollection(path) => format!("subcollection {path}"),
        Source::Literals(maps) => format!("literals: {}", maps.len()),
    };
    into.push((depth, source));
    for step in &plan.steps {
        let line = match step {
            Step::Where(_) => "where".to_owned(),
            Step::Sort(orderings) => format!("sort by {} expressions", orderings.len()),
            Step::Limit(limit) => format!("limit {limit}"),
            Step::Offset(offset) => format!("offset {offset}"),
            Step::Select(fields) => format!("select {}", aliases(fields.iter().map(|(path, _)| path))),
            Step::Add(fields) => format!("add_fields {}", aliases(fields.iter().map(|(path, _)| path))),
            Step::Remove(paths) => format!("remove_fields {}", aliases(paths)),
            Step::Replace(_, Merge::Replace) => "replace_with, whole".to_owned(),
            Step::Replace(_, Merge::Overwrite) => "replace_with, the map's fields first".to_owned(),
            Step::Replace(_, Merge::Keep) => "replace_with, the document's fields first".to_owned(),
            Step::Define(variables) => format!("let {}", variables.iter().map(|(name, _)| name.as_str()).collect::<Vec<_>>().join(", ")),
            Step::Aggregate { groups, accumulators } if accumulators.is_empty() => {
                format!("distinct {}", aliases(groups.iter().map(|(path, _)| path)))
            }
            Step::Aggregate { groups, accumulators } => {
                let by = if groups.is_empty() { String::new() } else { format!(" by {}", aliases(groups.iter().map(|(path, _)| path))) };
                format!("aggregate {}{by}", aliases(accumulators.iter().map(|(path, _)| path)))
            }
            Step::Nearest(nearest) => format!("find_nearest of {} elements", nearest.vector.len()),
            Step::Sample(Sample::Documents(n)) => format!("sample of {n} documents"),
            Step::Sample(Sample::Rate(rate)) => format!("sample of {:.1} %", rate * 100.0),
            Step::Union(_) => "union".to_owned(),
            Step::Unnest { alias, .. } => format!("unnest as {alias}"),
            Step::Update(fields) => format!("update {}", aliases(fields.iter().map(|(path, _)| path))),
            Step::Delete => "delete".to_owned(),
        };
        into.push((depth, line));
        if let Step::Union(other) = step {
            describe(other, depth + 1, into);
        }
    }
}

fn aliases<'a>(paths: impl IntoIterator<Item = &'a crate::services::documents::name::FieldPath>) -> String {
    paths.into_iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
}
