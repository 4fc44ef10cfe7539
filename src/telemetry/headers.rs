//! Headers as records keep them.

use serde::de::{Deserialize, Deserializer};
use serde::ser::{Serialize, Serializer};

/// Names and values, in the order they came. All in one text: every request has some and few are looked at, so that they are to cost little.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Headers {
    text: String,
    /// Where each name and each value ends in the text, by turns.
    ends: Vec<u32>,
}

impl Headers {
    /// Without any, with room for `count` of them that are `bytes` long together.
    pub fn with_capacity(count: usize, bytes: usize) -> Headers {
        Headers { text: String::with_capacity(bytes), ends: Vec::with_capacity(count * 2) }
    }

    /// Adds one at the end; none where all together would be longer than 4 GiB.
    pub fn push(&mut self, name: &str, value: &str) {
        let Ok(end) = u32::try_from(self.text.len() + name.len() + value.len()) else { return };
        self.text.push_str(name);
        self.text.push_str(value);
        self.ends.extend([end - value.len() as u32, end]);
    }

    /// Each name with its value.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        let mut begin = 0;
        self.ends.chunks_exact(2).map(move |ends| {
            let (middle, end) = (ends[0] as usize, ends[1] as usize);
            let header = (&self.text[begin..middle], &self.text[middle..end]);
            begin = end;
            header
        })
    }
}

impl<N: AsRef<str>, V: AsRef<str>> FromIterator<(N, V)> for Headers {
    fn from_iter<I: IntoIterator<Item = (N, V)>>(all: I) -> Headers {
        let mut headers = Headers::default();
        for (name, value) in all {
            headers.push(name.as_ref(), value.as_ref());
        }
        headers
    }
}

impl std::fmt::Debug for Headers {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_list().entries(self.iter()).finish()
    }
}

impl Serialize for Headers {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.iter())
    }
}

impl<'de> Deserialize<'de> for Headers {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Headers, D::Error> {
        Ok(Vec::<(String, String)>::deserialize(deserializer)?.into_iter().collect())
    }
}

#[cfg(test)]
mod tests {
    use super::Headers;

    #[test]
    fn headers_come_out_as_they_went_in() {
        for all in [vec![], vec![("", "")], vec![("a", "é"), ("", "x"), ("b", ""), ("a", "2")]] {
            let headers: Headers = all.iter().copied().collect();
            assert_eq!(headers.iter().collect::<Vec<_>>(), all);
            let text = serde_json::to_string(&headers).expect("JSON");
            assert_eq!(text, serde_json::to_string(&all).expect("JSON"));
            assert_eq!(serde_json::from_str::<Headers>(&text).expect("headers"), headers);
        }
    }
}
