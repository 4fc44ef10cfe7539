//! Enumerations: numbers in the binary form, names in JSON, where a number is understood too.

macro_rules! named {
    ($($(#[$doc:meta])* $module:ident { $($constant:ident = $number:literal $name:literal,)* })*) => {$(
        $(#[$doc])*
        pub mod $module {
            use serde::{Deserialize, Deserializer, Serializer};

            $(pub const $constant: i32 = $number;)*

            /// The name of a number.
            pub fn name(number: i32) -> Option<&'static str> {
                match number {
                    $($number => Some($name),)*
                    _ => None,
                }
            }

            fn number(name: &str) -> Option<i32> {
                match name {
                    $($name => Some($number),)*
                    _ => None,
                }
            }

            pub fn serialize<S: Serializer>(number: &i32, serializer: S) -> Result<S::Ok, S::Error> {
                match name(*number) {
                    Some(name) => serializer.serialize_str(name),
                    None => serializer.serialize_i32(*number),
                }
            }

            pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<i32, D::Error> {
                let wrong = |given: &dyn std::fmt::Display| serde::de::Error::custom(format!("Invalid value at (TYPE_ENUM), \"{given}\""));
                match serde_json::Value::deserialize(deserializer)? {
                    serde_json::Value::Number(given) => {
                        given.as_i64().and_then(|given| i32::try_from(given).ok()).ok_or_else(|| wrong(&given))
                    }
                    serde_json::Value::String(given) => number(&given).ok_or_else(|| wrong(&given)),
                    other => Err(wrong(&other)),
                }
            }
        }
    )*};
}

named! {
    composite_op {
        AND = 1 "AND",
        OR = 2 "OR",
    }
    field_op {
        LESS_THAN = 1 "LESS_THAN",
        LESS_THAN_OR_EQUAL = 2 "LESS_THAN_OR_EQUAL",
        GREATER_THAN = 3 "GREATER_THAN",
        GREATER_THAN_OR_EQUAL = 4 "GREATER_THAN_OR_EQUAL",
        EQUAL = 5 "EQUAL",
        NOT_EQUAL = 6 "NOT_EQUAL",
        ARRAY_CONTAINS = 7 "ARRAY_CONTAINS",
        IN = 8 "IN",
        ARRAY_CONTAINS_ANY = 9 "ARRAY_CONTAINS_ANY",
        NOT_IN = 10 "NOT_IN",
    }
    unary_op {
        IS_NAN = 2 "IS_NAN",
        IS_NULL = 3 "IS_NULL",
        IS_NOT_NAN = 4 "IS_NOT_NAN",
        IS_NOT_NULL = 5 "IS_NOT_NULL",
    }
    direction {
        UNSPECIFIED = 0 "DIRECTION_UNSPECIFIED",
        ASCENDING = 1 "ASCENDING",
        DESCENDING = 2 "DESCENDING",
    }
    distance_measure {
        EUCLIDEAN = 1 "EUCLIDEAN",
        COSINE = 2 "COSINE",
        DOT_PRODUCT = 3 "DOT_PRODUCT",
    }
    server_value {
        UNSPECIFIED = 0 "SERVER_VALUE_UNSPECIFIED",
        REQUEST_TIME = 1 "REQUEST_TIME",
    }
    target_change_type {
        NO_CHANGE = 0 "NO_CHANGE",
        ADD = 1 "ADD",
        REMOVE = 2 "REMOVE",
        CURRENT = 3 "CURRENT",
        RESET = 4 "RESET",
    }
}
