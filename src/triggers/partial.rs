//! Partial batch answers: which records of a batch a function says it could not do.
//! Source: the pages "Handling errors for an SQS event source in Lambda" and "Configuring partial batch response with DynamoDB and Lambda".

use std::collections::HashMap;

use serde_json::Value;

/// What became of a batch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Batch {
    /// All of it was done.
    Done,
    /// All but these (indices into the batch, rising) were done.
    Failed(Vec<usize>),
    /// The answer is not one that can be understood, so all of it counts as failed; the text says why.
    Unclear(String),
}

/// Reads the answer of a function that reports partial failures. `ids` are the batch's identifiers, in order.
pub fn read(answer: &[u8], ids: &[&str]) -> Batch {
    let trimmed = answer.trim_ascii();
    if trimmed.is_empty() {
        return Batch::Done;
    }
    let value: Value = match serde_json::from_slice(trimmed) {
        Ok(value) => value,
        Err(error) => return Batch::Unclear(format!("the answer is not JSON: {error}")),
    };
    let failures = match &value {
        Value::Null => return Batch::Done,
        Value::Object(map) => map.get("batchItemFailures").unwrap_or(&Value::Null),
        // What is no object has no `batchItemFailures`, and that means success.
        _ => return Batch::Done,
    };
    let failures = match failures {
        Value::Null => return Batch::Done,
        Value::Array(list) if list.is_empty() => return Batch::Done,
        Value::Array(list) => list,
        _ => return Batch::Unclear("`batchItemFailures` is not a list".to_owned()),
    };
    let places: HashMap<&str, usize> = ids.iter().enumerate().map(|(index, id)| (*id, index)).collect();
    let mut failed = Vec::with_capacity(failures.len().min(ids.len()));
    for failure in failures {
        let Some(id) = failure.get("itemIdentifier").and_then(Value::as_str).filter(|id| !id.is_empty()) else {
            return Batch::Unclear(format!("an entry of `batchItemFailures` has no `itemIdentifier`: {failure}"));
        };
        match places.get(id) {
            Some(index) => failed.push(*index),
            None => return Batch::Unclear(format!("`batchItemFailures` names `{id}`, which is not in the batch")),
        }
    }
    failed.sort_unstable();
    failed.dedup();
    Batch::Failed(failed)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers() {
        let rows = [
            ("", "done"),
            ("null", "done"),
            ("{}", "done"),
            (r#""ok""#, "done"),
            (r#"{"batchItemFailures":null}"#, "done"),
            (r#"{"batchItemFailures":[]}"#, "done"),
            (r#"{"batchItemFailures":[{"itemIdentifier":"b"}]}"#, "failed [1]"),
            (r#"{"batchItemFailures":[{"itemIdentifier":"c"},{"itemIdentifier":"a"},{"itemIdentifier":"c"}]}"#, "failed [0, 2]"),
            (r#"{"batchItemFailures":[{"itemIdentifier":""}]}"#, "unclear"),
            (r#"{"batchItemFailures":[{"itemIdentifier":null}]}"#, "unclear"),
            (r#"{"batchItemFailures":[{"id":"a"}]}"#, "unclear"),
            (r#"{"batchItemFailures":["a"]}"#, "unclear"),
            (r#"{"batchItemFailures":[{"itemIdentifier":"z"}]}"#, "unclear"),
            (r#"{"batchItemFailures":"a"}"#, "unclear"),
            ("{", "unclear"),
        ];
        for (answer, wanted) in rows {
            let got = match read(answer.as_bytes(), &["a", "b", "c"]) {
                Batch::Done => "done".to_owned(),
                Batch::Failed(indices) => format!("failed {indices:?}"),
                Batch::Unclear(_) => "unclear".to_owned(),
            };
            assert_eq!(got, wanted, "{answer}");
        }
    }
}
