//! Shows how two states differ.

use serde_json::Value;

use super::output;

/// Characters of a value.
const VALUE_CHARS_MAX: usize = 80;

/// What the admin API answers to a diff, for people.
pub fn shown(answer: &Value) -> String {
    draw(answer, output::colours_out())
}

fn draw(answer: &Value, colours: bool) -> String {
    if answer["same"] == true {
        return "no difference\n".to_owned();
    }
    let paint = |code: &str, text: &str| if colours { format!("\x1b[{code}m{text}\x1b[0m") } else { text.to_owned() };
    let mut text = String::new();
    for part in answer["parts"].as_array().into_iter().flatten() {
        let count = |name: &str| part[name].as_u64().unwrap_or(0);
        let counts = [("32", "+", "added"), ("31", "-", "removed"), ("33", "~", "changed")];
        let counts: Vec<String> = counts
            .iter()
            .filter(|(_, _, name)| count(name) > 0)
            .map(|(code, sign, name)| paint(code, &format!("{sign}{} {name}", count(name))))
            .collect();
        text.push_str(&format!("{}  {}\n", paint("1", part["part"].as_str().unwrap_or_default()), counts.join("  ")));
        let lines = part["lines"].as_array().map(Vec::as_slice).unwrap_or_default();
        for line in lines {
            for (code, sign, kind) in [("32", "+", "added"), ("31", "-", "removed"), ("33", "~", "changed")] {
                if let Some(id) = line.get(kind) {
                    text.push_str(&paint(code, &format!("  {sign} {}", short(id))));
                    text.push('\n');
                }
            }
            if line.get("changed").is_some() {
                text.push_str(&fields(&line["from"], &line["to"]));
            }
        }
        let all = count("added") + count("removed") + count("changed");
        if all > lines.len() as u64 {
            text.push_str(&format!("    … and {} more\n", all - lines.len() as u64));
        }
    }
    text
}

/// Each field that differs, as it was and as it is.
fn fields(from: &Value, to: &Value) -> String {
    let names = |value: &Value| value.as_object().map(|map| map.keys().cloned().collect::<Vec<_>>()).unwrap_or_default();
    let mut all = names(from);
    all.extend(names(to));
    all.sort();
    all.dedup();
    let side = |value: Option<&Value>| value.map_or_else(|| "nothing".to_owned(), short);
    all.iter().map(|name| format!("      {name}: {} -> {}\n", side(from.get(name)), side(to.get(name)))).collect()
}

/// A value in few characters: without the types of items' attributes, and cut.
fn short(value: &Value) -> String {
    let text = plain(value);
    match text.char_indices().nth(VALUE_CHARS_MAX) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text,
    }
}

fn plain(value: &Value) -> String {
    match value {
        Value::Object(map) => {
            if let Some((kind, inner)) = map.iter().next()
                && map.len() == 1
                && ["S", "N", "BOOL"].contains(&kind.as_str())
            {
                return if kind == "S" { inner.to_string() } else { inner.as_str().map_or_else(|| inner.to_string(), str::to_owned) };
            }
            map.iter().map(|(name, value)| format!("{name}={}", plain(value))).collect::<Vec<_>>().join(" ")
        }
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_difference_reads_as_a_list_of_what_happened() {
        let answer = json!({ "same": false, "parts": [{
            "part": "items of users", "added": 1, "removed": 0, "changed": 9,
            "lines": [
                { "added": { "id": { "S": "ada" } }, "to": {} },
                { "changed": { "id": { "S": "bob" } }, "from": { "age": { "N": "1" } }, "to": { "age": { "N": "2" }, "ok": { "BOOL": true } } },
            ],
        }] });
        let wanted = "items of users  +1 added  ~9 changed
  + id=\"ada\"
  ~ id=\"bob\"
      age: 1 -> 2
      ok: nothing -> true
    … and 8 more
";
        assert_eq!(draw(&answer, false), wanted);
        assert!(draw(&answer, true).contains("\x1b[32m+1 added"));
        assert_eq!(draw(&json!({ "same": true, "parts": [] }), false), "no difference\n");
    }
}
