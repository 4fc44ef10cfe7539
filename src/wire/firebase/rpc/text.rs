//! How some types are written in JSON. Source: "ProtoJSON format".

/// Whole numbers of 64 bits are text.
pub mod int64 {
    use serde::{Deserialize, Deserializer, Serializer};
    use serde_json::Value as Json;

    pub fn serialize<S: Serializer>(n: &i64, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(n)
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<i64, D::Error> {
        // Not an untagged enum: that knows no numbers where serde_json keeps their digits, as other crates ask it to.
        match Json::deserialize(deserializer)? {
            Json::Number(n) => match (n.as_i64(), n.as_f64()) {
                (Some(n), _) => Ok(n),
                (None, Some(n)) if n.fract() == 0.0 && n.abs() < 9e15 => Ok(n as i64),
                _ => Err(serde::de::Error::custom(format!("Invalid value (TYPE_INT64), {n}"))),
            },
            Json::String(text) => text.parse().map_err(|_| serde::de::Error::custom(format!("Invalid value (TYPE_INT64), \"{text}\""))),
            other => Err(serde::de::Error::custom(format!("Invalid value (TYPE_INT64), {other}"))),
        }
    }
}

/// Bytes are base64, of either alphabet, padded or not.
pub mod bytes {
    use base64::Engine;
    use base64::alphabet::{STANDARD, URL_SAFE};
    use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
    use bytes::Bytes;
    use serde::{Deserialize, Deserializer, Serializer};

    const CONFIG: GeneralPurposeConfig = GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent);

    pub fn serialize<S: Serializer>(bytes: &Bytes, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&super::encode(bytes))
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Bytes, D::Error> {
        let text = String::deserialize(deserializer)?;
        decode(&text).map(Bytes::from).ok_or_else(|| serde::de::Error::custom("Invalid value (TYPE_BYTES): it is no base64"))
    }

    /// The bytes that base64 stands for.
    pub fn decode(text: &str) -> Option<Vec<u8>> {
        let alphabet = if text.contains(['-', '_']) { &URL_SAFE } else { &STANDARD };
        GeneralPurpose::new(alphabet, CONFIG).decode(text).ok()
    }
}

/// As [`bytes`], where there are any.
pub mod some_bytes {
    use bytes::Bytes;
    use serde::{Deserialize, Deserializer};

    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Bytes>, D::Error> {
        #[derive(Deserialize)]
        struct Given(#[serde(with = "super::bytes")] Bytes);
        Ok(Option::<Given>::deserialize(deserializer)?.map(|given| given.0))
    }
}

/// Base64 as it is written.
pub fn encode(bytes: &[u8]) -> String {
    use base64::Engine;
    base64::engine::general_purpose::STANDARD.encode(bytes)
}

/// Numbers of floating point are numbers, but for those that JSON has none for.
pub mod double {
    use serde::{Deserialize, Deserializer, Serializer};
    use serde_json::Value as Json;

    pub fn serialize<S: Serializer>(n: &f64, serializer: S) -> Result<S::Ok, S::Error> {
        match *n {
            n if n.is_nan() => serializer.serialize_str("NaN"),
            f64::INFINITY => serializer.serialize_str("Infinity"),
            f64::NEG_INFINITY => serializer.serialize_str("-Infinity"),
            // Without a fraction, as other implementations write it; a zero below zero keeps its sign.
            n if n.fract() == 0.0 && n.abs() < 1e15 && !(n == 0.0 && n.is_sign_negative()) => serializer.serialize_i64(n as i64),
            n => serializer.serialize_f64(n),
        }
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<f64, D::Error> {
        match Json::deserialize(deserializer)? {
            Json::Number(n) => n.as_f64().ok_or_else(|| serde::de::Error::custom(format!("Invalid value (TYPE_DOUBLE), {n}"))),
            Json::String(text) => match text.as_str() {
                "NaN" => Ok(f64::NAN),
                "Infinity" => Ok(f64::INFINITY),
                "-Infinity" => Ok(f64::NEG_INFINITY),
                other => other.parse().map_err(|_| serde::de::Error::custom(format!("Invalid value (TYPE_DOUBLE), \"{other}\""))),
            },
            other => Err(serde::de::Error::custom(format!("Invalid value (TYPE_DOUBLE), {other}"))),
        }
    }
}
