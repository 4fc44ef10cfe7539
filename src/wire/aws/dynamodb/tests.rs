use serde_json::{Value as Json, json};

use super::*;
use crate::base::{Clock, Ids, Time, Unit};
use crate::store::{Db, Options};
use crate::wire::http::Body;

/// An endpoint with the tables `t` (hash `p`), `r` (hash `p`, range `n` a number, index `byc` on `c`, local `byl` on `l`, a stream).
struct Endpoint {
    dynamodb: Dynamodb,
    clock: Clock,
    call: Call,
    _folder: tempfile::TempDir,
}

async fn endpoint() -> Endpoint {
    let folder = tempfile::tempdir().expect("a folder");
    let clock = Clock::frozen(Time(1_700_000_000_000));
    let options = Options { path: folder.path().join("state.db"), clock: clock.clone(), ids: Ids::seeded(1), ephemeral: true };
    let db = Db::open(options, &[&crate::services::tables::SCHEMA]).expect("a new database opens");
    let dynamodb = Dynamodb::new(Tables::new(db), Account::local("us-east-1"));
    let endpoint = Endpoint { dynamodb, clock, call: Call::operator(), _folder: folder };
    endpoint
        .ok(
            "CreateTable",
            json!({"TableName": "tab", "BillingMode": "PAY_PER_REQUEST", "AttributeDefinitions": [{"AttributeName": "p", "AttributeType": "S"}],
                "KeySchema": [{"AttributeName": "p", "KeyType": "HASH"}]}),
        )
        .await;
    endpoint.ok("CreateTable", ranged()).await;
    endpoint
}

fn ranged() -> Json {
    json!({
        "TableName": "ran", "BillingMode": "PAY_PER_REQUEST",
        "AttributeDefinitions": [
            {"AttributeName": "p", "AttributeType": "S"}, {"AttributeName": "n", "AttributeType": "N"},
            {"AttributeName": "c", "AttributeType": "S"}, {"AttributeName": "l", "AttributeType": "S"}],
        "KeySchema": [{"AttributeName": "p", "KeyType": "HASH"}, {"AttributeName": "n", "KeyType": "RANGE"}],
        "GlobalSecondaryIndexes": [{"IndexName": "byc", "KeySchema": [{"AttributeName": "c", "KeyType": "HASH"}], "Projection": {"ProjectionType": "KEYS_ONLY"}}],
        "LocalSecondaryIndexes": [{"IndexName": "byl", "Projection": {"ProjectionType": "INCLUDE", "NonKeyAttributes": ["x"]},
            "KeySchema": [{"AttributeName": "p", "KeyType": "HASH"}, {"AttributeName": "l", "KeyType": "RANGE"}]}],
        "StreamSpecification": {"StreamEnabled": true, "StreamViewType": "NEW_AND_OLD_IMAGES"},
    })
}

impl Endpoint {
    async fn send(&self, operation: &str, body: impl Into<Body>) -> (StatusCode, Json) {
        let target = if operation.contains('.') { operation.to_owned() } else { format!("DynamoDB_20120810.{operation}") };
        let request = http::Request::post("/").header("x-amz-target", target).body(body.into()).expect("a request");
        let response = self.dynamodb.handle(&self.call, request).await;
        let (parts, body) = response.into_parts();
        assert!(parts.headers.contains_key("x-amzn-requestid"));
        let bytes = body.collect(1 << 26).await.expect("a body");
        let checksum = crc_fast::checksum(crc_fast::CrcAlgorithm::Crc32IsoHdlc, &bytes);
        assert_eq!(parts.headers["x-amz-crc32"].to_str().expect("text"), checksum.to_string());
        (parts.status, serde_json::from_slice(&bytes).expect("JSON"))
    }

    async fn ok(&self, operation: &str, request: Json) -> Json {
        let (status, answer) = self.send(operation, request.to_string()).await;
        assert_eq!(status, 200, "{operation} {request}: {answer}");
        answer
    }

    /// Sends a request; `wanted` is the answer as JSON, or `! Kind: message`.
    async fn check(&self, operation: &str, request: &str, wanted: &str) {
        let (status, answer) = self.send(operation, request.to_owned()).await;
        if let Some(wanted) = wanted.strip_prefix("! ") {
            let kind = answer["__type"].as_str().unwrap_or_default();
            let kind = kind.rsplit('#').next().unwrap_or_default();
            let message = answer.get("message").or(answer.get("Message")).and_then(Json::as_str).unwrap_or_default();
            assert_eq!(format!("{kind}: {message}"), wanted, "{operation} {request}");
        } else {
            let wanted: Json = serde_json::from_str(wanted).expect("the row is JSON");
            assert_eq!(status, 200, "{operation} {request}: {answer}");
            assert_eq!(answer, wanted, "{operation} {request}");
        }
    }

    async fn rows(&self, rows: &[(&str, &str, &str)]) {
        for (operation, request, wanted) in rows {
            self.check(operation, request, wanted).await;
        }
    }
}

const INVALID: &str = "! ValidationException: One or more parameter values were invalid: ";

#[tokio::test]
async fn items_are_put_got_and_deleted() {
    let e = endpoint().await;
    e.rows(&[
        ("PutItem", r#"{"TableName":"tab","Item":{"p":{"S":"a"},"v":{"N":"1e3"}}}"#, "{}"),
        ("GetItem", r#"{"TableName":"tab","Key":{"p":{"S":"a"}}}"#, r#"{"Item":{"p":{"S":"a"},"v":{"N":"1000"}}}"#),
        ("GetItem", r#"{"TableName":"tab","Key":{"p":{"S":"b"}}}"#, "{}"),
        (
            "GetItem",
            r#"{"TableName":"arn:aws:dynamodb:us-east-1:000000000000:table/tab","Key":{"p":{"S":"b"}},"ReturnConsumedCapacity":"TOTAL"}"#,
            r#"{"ConsumedCapacity":{"TableName":"tab","CapacityUnits":0.5}}"#,
        ),
        (
            "GetItem",
            r#"{"TableName":"tab","Key":{"p":{"S":"b"}},"ReturnConsumedCapacity":"INDEXES","ConsistentRead":true}"#,
            r#"{"ConsumedCapacity":{"TableName":"tab","CapacityUnits":1.0,"Table":{"CapacityUnits":1.0}}}"#,
        ),
        (
            "PutItem",
            r#"{"TableName":"tab","Item":{"p":{"S":"a"}},"ReturnValues":"ALL_OLD","ReturnConsumedCapacity":"TOTAL"}"#,
            r#"{"Attributes":{"p":{"S":"a"},"v":{"N":"1000"}},"ConsumedCapacity":{"TableName":"tab","CapacityUnits":1.0}}"#,
        ),
        ("DeleteItem", r#"{"TableName":"tab","Key":{"p":{"S":"a"}},"ReturnValues":"ALL_OLD"}"#, r#"{"Attributes":{"p":{"S":"a"}}}"#),
        ("DeleteItem", r#"{"TableName":"tab","Key":{"p":{"S":"a"}},"ReturnValues":"ALL_OLD"}"#, "{}"),
        (
            "PutItem",
            r##"{"TableName":"tab","Item":{"p":{"S":"a"}},"ConditionExpression":"attribute_not_exists(#p)","ExpressionAttributeNames":{"#p":"p"}}"##,
            "{}",
        ),
        (
            "PutItem",
            r#"{"TableName":"tab","Item":{"p":{"S":"a"}},"ConditionExpression":"attribute_not_exists(p)"}"#,
            "! ConditionalCheckFailedException: The conditional request failed",
        ),
        // The legacy parameters.
        ("PutItem", r#"{"TableName":"tab","Item":{"p":{"S":"a"},"x":{"N":"1"}},"Expected":{"p":{"Exists":true,"Value":{"S":"a"}}}}"#, "{}"),
        (
            "PutItem",
            r#"{"TableName":"tab","Item":{"p":{"S":"a"}},"Expected":{"x":{"ComparisonOperator":"GT","AttributeValueList":[{"N":"1"}]}}}"#,
            "! ConditionalCheckFailedException: The conditional request failed",
        ),
        (
            "UpdateItem",
            r#"{"TableName":"tab","Key":{"p":{"S":"a"}},"AttributeUpdates":{"x":{"Action":"ADD","Value":{"N":"2"}},"l":{"Action":"ADD","Value":{"L":[{"S":"z"}]}}},"ReturnValues":"ALL_NEW"}"#,
            r#"{"Attributes":{"l":{"L":[{"S":"z"}]},"p":{"S":"a"},"x":{"N":"3"}}}"#,
        ),
        ("GetItem", r#"{"TableName":"tab","Key":{"p":{"S":"a"}},"AttributesToGet":["x"]}"#, r#"{"Item":{"x":{"N":"3"}}}"#),
    ])
    .await;
    let (_, answer) = e
        .send(
            "PutItem",
            r#"{"TableName":"tab","Item":{"p":{"S":"a"}},"ConditionExpression":"attribute_not_exists(p)","ReturnValuesOnConditionCheckFailure":"ALL_OLD"}"#,
        )
        .await;
    assert_eq!(answer["Item"]["x"], json!({"N": "3"}));
}

#[tokio::test]
async fn what_cannot_be_is_refused_in_the_service_s_words_and_order() {
    let e = endpoint().await;
    let long = "k".repeat(2049);
    let big = "b".repeat(409_600);
    e.rows(&[
        ("Nope", "{}", "! UnknownOperationException: "),
        ("Other_1.PutItem", "{}", "! UnknownOperationException: "),
        ("PutItem", "{", "! SerializationException: "),
        ("PutItem", r#"{"TableName":1}"#, "! SerializationException: NUMBER_VALUE cannot be converted to String"),
        (
            "PutItem",
            r#"{"TableName":"a;","ReturnConsumedCapacity":"x"}"#,
            "! ValidationException: 4 validation errors detected: \
             Value 'x' at 'returnConsumedCapacity' failed to satisfy constraint: Member must satisfy enum value set: [INDEXES, TOTAL, NONE]; \
             Value 'a;' at 'tableName' failed to satisfy constraint: Member must satisfy regular expression pattern: [a-zA-Z0-9_.-]+; \
             Value 'a;' at 'tableName' failed to satisfy constraint: Member must have length greater than or equal to 3; \
             Value null at 'item' failed to satisfy constraint: Member must not be null",
        ),
        ("PutItem", r#"{"TableName":"none","Item":{"p":{"S":"a"}}}"#, "! ResourceNotFoundException: Requested resource not found"),
        ("DescribeTable", r#"{"TableName":"none"}"#, "! ResourceNotFoundException: Requested resource not found: Table: none not found"),
        ("PutItem", r#"{"TableName":"none","Item":{"p":{"N":"x"}}}"#, "! ValidationException: The parameter cannot be converted to a numeric value: x"),
        ("PutItem", r#"{"TableName":"tab","Item":{"q":{"S":"a"}}}"#, &format!("{INVALID}Missing the key p in the item")),
        ("PutItem", r#"{"TableName":"tab","Item":{"p":{"N":"1"}}}"#, &format!("{INVALID}Type mismatch for key p expected: S actual: N")),
        (
            "PutItem",
            r#"{"TableName":"tab","Item":{"p":{"S":""}}}"#,
            "! ValidationException: One or more parameter values are not valid. \
             The AttributeValue for a key attribute cannot contain an empty string value. Key: p",
        ),
        (
            "PutItem",
            &format!(r#"{{"TableName":"tab","Item":{{"p":{{"S":"{long}"}}}}}}"#),
            &format!("{INVALID}Size of hashkey has exceeded the maximum size limit of2048 bytes"),
        ),
        (
            "PutItem",
            &format!(r#"{{"TableName":"tab","Item":{{"p":{{"S":"a"}},"b":{{"S":"{big}"}}}}}}"#),
            "! ValidationException: Item size has exceeded the maximum allowed size",
        ),
        (
            "PutItem",
            r#"{"TableName":"ran","Item":{"p":{"S":"a"},"n":{"N":"1"},"c":{"N":"1"}}}"#,
            &format!("{INVALID}Type mismatch for Index Key c Expected: S Actual: N IndexName: byc"),
        ),
        ("PutItem", r#"{"TableName":"tab","Item":{"p":{"S":"a"}},"ReturnValues":"ALL_NEW"}"#, "! ValidationException: ReturnValues can only be ALL_OLD or NONE"),
        ("GetItem", r#"{"TableName":"tab","Key":{"p":{"S":"a"},"q":{"S":"a"}}}"#, "! ValidationException: The number of conditions on the keys is invalid"),
        ("GetItem", r#"{"TableName":"tab","Key":{"q":{"S":"a"}}}"#, "! ValidationException: The provided key element does not match the schema"),
        (
            "PutItem",
            r#"{"TableName":"tab","Item":{"p":{"S":"a"}},"Expected":{},"ConditionExpression":"p = :p"}"#,
            "! ValidationException: Can not use both expression and non-expression parameters in the same request: \
             Non-expression parameters: {Expected} Expression parameters: {ConditionExpression}",
        ),
        (
            "PutItem",
            r#"{"TableName":"tab","Item":{"p":{"S":"a"}},"ExpressionAttributeValues":{":a":{"S":"a"}}}"#,
            "! ValidationException: ExpressionAttributeValues can only be specified when using expressions: ConditionExpression is null",
        ),
        (
            "UpdateItem",
            r#"{"TableName":"tab","Key":{"p":{"S":"a"}},"UpdateExpression":"SET x = :x","ExpressionAttributeValues":{":x":{"NS":[]}}}"#,
            "! ValidationException: ExpressionAttributeValues contains invalid value: \
             One or more parameter values were invalid: An number set  may not be empty for key :x",
        ),
        (
            "UpdateItem",
            r##"{"TableName":"tab","Key":{"p":{"S":"a"}},"UpdateExpression":"REMOVE x","ExpressionAttributeNames":{"#x":"x"}}"##,
            "! ValidationException: Value provided in ExpressionAttributeNames unused in expressions: keys: {#x}",
        ),
        (
            "UpdateItem",
            r#"{"TableName":"tab","Key":{"p":{"S":"a"}},"UpdateExpression":"REMOVE p"}"#,
            &format!("{INVALID}Cannot update attribute p. This attribute is part of the key"),
        ),
        (
            "UpdateItem",
            r#"{"TableName":"tab","Key":{"p":{"S":"a"}},"UpdateExpression":""}"#,
            "! ValidationException: Invalid UpdateExpression: The expression can not be empty;",
        ),
        (
            "CreateTable",
            r#"{"TableName":"tab","BillingMode":"PAY_PER_REQUEST","AttributeDefinitions":[{"AttributeName":"p","AttributeType":"S"}],"KeySchema":[{"AttributeName":"p","KeyType":"HASH"}]}"#,
            "! ResourceInUseException: Table already exists: tab",
        ),
        (
            "CreateTable",
            r#"{"TableName":"new","BillingMode":"PAY_PER_REQUEST","AttributeDefinitions":[{"AttributeName":"p","AttributeType":"S"},{"AttributeName":"q","AttributeType":"S"}],"KeySchema":[{"AttributeName":"p","KeyType":"HASH"}]}"#,
            &format!("{INVALID}Number of attributes in KeySchema does not exactly match number of attributes defined in AttributeDefinitions"),
        ),
    ])
    .await;
}

#[tokio::test]
async fn updates_tell_what_was_asked() {
    let e = endpoint().await;
    let key = r#""TableName":"tab","Key":{"p":{"S":"a"}}"#;
    e.rows(&[
        ("UpdateItem", &format!("{{{key}}}"), "{}"),
        ("GetItem", &format!("{{{key}}}"), r#"{"Item":{"p":{"S":"a"}}}"#),
        (
            "UpdateItem",
            &format!(r#"{{{key},"UpdateExpression":"SET m = :m, k = :k","ExpressionAttributeValues":{{":m":{{"M":{{"a":{{"N":"1"}},"b":{{"N":"2"}}}}}},":k":{{"S":"k"}}}},"ReturnValues":"UPDATED_NEW"}}"#),
            r#"{"Attributes":{"k":{"S":"k"},"m":{"M":{"a":{"N":"1"},"b":{"N":"2"}}}}}"#,
        ),
        (
            "UpdateItem",
            &format!(r#"{{{key},"UpdateExpression":"SET m.a = m.a + :one","ExpressionAttributeValues":{{":one":{{"N":"1"}}}},"ReturnValues":"UPDATED_OLD"}}"#),
            r#"{"Attributes":{"m":{"M":{"a":{"N":"1"}}}}}"#,
        ),
        ("UpdateItem", &format!(r#"{{{key},"UpdateExpression":"REMOVE k","ReturnValues":"UPDATED_NEW"}}"#), "{}"),
        (
            "UpdateItem",
            &format!(r#"{{{key},"UpdateExpression":"REMOVE m","ReturnValues":"ALL_NEW"}}"#),
            r#"{"Attributes":{"p":{"S":"a"}}}"#,
        ),
    ])
    .await;
}

#[tokio::test]
async fn queries_page_through_ranges_and_indexes() {
    let e = endpoint().await;
    for (n, c) in [("10", "x"), ("-1", "y"), ("2.5", "x"), ("1e2", "x")] {
        e.ok("PutItem", json!({"TableName": "ran", "Item": {"p": {"S": "a"}, "n": {"N": n}, "c": {"S": c}, "l": {"S": n}, "x": {"S": "x"}, "y": {"S": "y"}}})).await;
    }
    let query = |condition: &str, more: Json| {
        let mut request = json!({"TableName": "ran", "KeyConditionExpression": condition, "ProjectionExpression": "n",
            "ExpressionAttributeValues": {":a": {"S": "a"}}});
        for (name, value) in more.as_object().expect("an object") {
            if name == "ExpressionAttributeValues" {
                request[name].as_object_mut().expect("values").extend(value.as_object().expect("values").clone());
            } else if value.is_null() {
                request.as_object_mut().expect("an object").remove(name);
            } else {
                request[name] = value.clone();
            }
        }
        request
    };
    let numbers = |answer: &Json| {
        answer["Items"].as_array().expect("items").iter().map(|item| item["n"]["N"].as_str().unwrap_or("?").to_owned()).collect::<Vec<_>>()
    };
    let n = |n: &str| json!({"ExpressionAttributeValues": {":n": {"N": n}}});
    for (condition, more, wanted) in [
        ("p = :a", json!({}), vec!["-1", "2.5", "10", "100"]),
        ("p = :a", json!({"ScanIndexForward": false}), vec!["100", "10", "2.5", "-1"]),
        ("p = :a AND n > :n", n("2.50"), vec!["10", "100"]),
        (":n <= n AND p = :a", n("2.50"), vec!["2.5", "10", "100"]),
        ("p = :a AND n < :n", n("2.5"), vec!["-1"]),
        ("p = :a AND n = :n", n("1e1"), vec!["10"]),
        ("p = :a AND n BETWEEN :n AND :m", json!({"ExpressionAttributeValues": {":n": {"N": "0"}, ":m": {"N": "10"}}}), vec!["2.5", "10"]),
        ("p = :a AND begins_with(l, :l)", json!({"IndexName": "byl", "ExpressionAttributeValues": {":l": {"S": "1"}}}), vec!["10", "100"]),
        ("p = :a", json!({"FilterExpression": "c = :c", "ExpressionAttributeValues": {":c": {"S": "y"}}}), vec!["-1"]),
    ] {
        let answer = e.ok("Query", query(condition, more.clone())).await;
        assert_eq!(numbers(&answer), wanted, "{condition} {more}");
    }
    // Pages: each next one starts where the last ended, also backward and in an index with equal keys.
    for more in [json!({}), json!({"ScanIndexForward": false}), json!({"IndexName": "byl", "ProjectionExpression": null})] {
        let whole = numbers(&e.ok("Query", query("p = :a", more.clone())).await);
        let (mut seen, mut start) = (Vec::new(), None);
        loop {
            let mut request = query("p = :a", more.clone());
            request["Limit"] = json!(1);
            if let Some(start) = start {
                request["ExclusiveStartKey"] = start;
            }
            let answer = e.ok("Query", request).await;
            seen.extend(numbers(&answer));
            match answer.get("LastEvaluatedKey") {
                Some(key) => start = Some(key.clone()),
                None => break,
            }
        }
        assert_eq!(seen, whole, "{more}");
    }
    let answer = e
        .ok("Query", json!({"TableName": "ran", "IndexName": "byc", "KeyConditionExpression": "c = :c", "ExpressionAttributeValues": {":c": {"S": "x"}}, "Limit": 2}))
        .await;
    assert_eq!((answer["Count"].as_u64(), answer["Items"][0].get("y")), (Some(2), None));
    assert_eq!(answer["LastEvaluatedKey"].as_object().map(serde_json::Map::len), Some(3));
    let base = r#""TableName":"ran","ExpressionAttributeValues":{":a":{"S":"a"},":n":{"N":"1"}}"#;
    e.rows(&[
        ("Query", r#"{"TableName":"ran"}"#, "! ValidationException: Either the KeyConditions or KeyConditionExpression parameter must be specified in the request."),
        ("Query", &format!(r#"{{{base},"KeyConditionExpression":"n = :n AND y = :a"}}"#), "! ValidationException: Query condition missed key schema element: p"),
        ("Query", &format!(r#"{{{base},"KeyConditionExpression":"p = :a AND y = :n"}}"#), "! ValidationException: Query condition missed key schema element: n"),
        ("Query", &format!(r#"{{{base},"KeyConditionExpression":"p < :a AND n = :n"}}"#), "! ValidationException: Query key condition not supported"),
        ("Query", &format!(r#"{{{base},"KeyConditionExpression":"p = :n AND n = :a"}}"#), &format!("{INVALID}Condition parameter type does not match schema type")),
        ("Query", &format!(r#"{{{base},"KeyConditionExpression":"p = :a OR n = :n"}}"#), "! ValidationException: Invalid operator used in KeyConditionExpression: OR"),
        (
            "Query",
            &format!(r#"{{{base},"KeyConditionExpression":"p = :a","FilterExpression":"n = :n"}}"#),
            "! ValidationException: Filter Expression can only contain non-primary key attributes: Primary key attribute: n",
        ),
        (
            "Query",
            &format!(r#"{{{base},"KeyConditionExpression":"p = :a AND n = :n","IndexName":"nope"}}"#),
            "! ValidationException: The table does not have the specified index: nope",
        ),
        (
            "Query",
            &format!(r#"{{{base},"KeyConditionExpression":"p = :a AND n = :n","IndexName":"byc","ConsistentRead":true}}"#),
            "! ValidationException: Consistent reads are not supported on global secondary indexes",
        ),
        (
            "Query",
            &format!(r#"{{{base},"KeyConditionExpression":"p = :a AND n > :n","ExclusiveStartKey":{{"p":{{"S":"a"}},"n":{{"N":"0"}}}}}}"#),
            "! ValidationException: The provided starting key does not match the range key predicate",
        ),
        (
            "Scan",
            r#"{"TableName":"ran","ExclusiveStartKey":{"p":{"S":"a"}}}"#,
            "! ValidationException: Exclusive Start Key must have same size as table's key schema",
        ),
        (
            "Scan",
            r#"{"TableName":"ran","Segment":4,"TotalSegments":4}"#,
            "! ValidationException: The Segment parameter is zero-based and must be less than parameter TotalSegments: Segment: 4 is not less than TotalSegments: 4",
        ),
    ])
    .await;
}

#[tokio::test]
async fn a_page_ends_after_a_megabyte_and_segments_cover_all() {
    let e = endpoint().await;
    let text = "z".repeat(300_000);
    for n in 0..8 {
        e.ok("PutItem", json!({"TableName": "tab", "Item": {"p": {"S": format!("k{n}")}, "t": {"S": text}}})).await;
    }
    let (mut count, mut pages, mut start) = (0, 0, None);
    loop {
        let mut request = json!({"TableName": "tab", "Select": "COUNT", "FilterExpression": "attribute_not_exists(t)"});
        if let Some(start) = start {
            request["ExclusiveStartKey"] = start;
        }
        let answer = e.ok("Scan", request).await;
        assert_eq!((answer["Count"].as_u64(), answer.get("Items")), (Some(0), None));
        count += answer["ScannedCount"].as_u64().expect("a count");
        pages += 1;
        match answer.get("LastEvaluatedKey") {
            Some(key) => start = Some(key.clone()),
            None => break,
        }
    }
    assert!(count == 8 && pages >= 2, "{count} items in {pages} pages");
    let mut found = 0;
    for segment in 0..4 {
        found += e.ok("Scan", json!({"TableName": "tab", "Segment": segment, "TotalSegments": 4, "Select": "COUNT"})).await["Count"]
            .as_u64()
            .expect("a count");
    }
    assert_eq!(found, 8);
}

#[tokio::test]
async fn batches_and_transactions() {
    let e = endpoint().await;
    let put = |p: &str| json!({"PutRequest": {"Item": {"p": {"S": p}}}});
    e.ok("BatchWriteItem", json!({"RequestItems": {"tab": [put("a"), put("b")]}})).await;
    let many: Vec<Json> = (0..26).map(|n| put(&n.to_string())).collect();
    let (status, _) = e.send("BatchWriteItem", json!({"RequestItems": {"tab": many}}).to_string()).await;
    assert_eq!(status, 400);
    e.rows(&[
        (
            "BatchGetItem",
            r#"{"RequestItems":{"tab":{"Keys":[{"p":{"S":"a"}},{"p":{"S":"zz"}}]}},"ReturnConsumedCapacity":"TOTAL"}"#,
            r#"{"Responses":{"tab":[{"p":{"S":"a"}}]},"UnprocessedKeys":{},"ConsumedCapacity":[{"TableName":"tab","CapacityUnits":1.0}]}"#,
        ),
        (
            "BatchGetItem",
            r#"{"RequestItems":{"tab":{"Keys":[{"p":{"S":"a"}},{"p":{"S":"a"}}]}}}"#,
            "! ValidationException: Provided list of item keys contains duplicates",
        ),
        (
            "TransactWriteItems",
            r#"{"TransactItems":[{"Put":{"TableName":"tab","Item":{"p":{"S":"c"}}}},{"Delete":{"TableName":"tab","Key":{"p":{"S":"c"}}}}]}"#,
            "! ValidationException: Transaction request cannot include multiple operations on one item",
        ),
        (
            "TransactWriteItems",
            r#"{"TransactItems":[{"Put":{"TableName":"tab","Item":{"p":{"S":"c"}}}},
                {"ConditionCheck":{"TableName":"tab","Key":{"p":{"S":"a"}},"ConditionExpression":"attribute_not_exists(p)"}}]}"#,
            "! TransactionCanceledException: Transaction cancelled, please refer cancellation reasons for specific reasons [None, ConditionalCheckFailed]",
        ),
        ("GetItem", r#"{"TableName":"tab","Key":{"p":{"S":"c"}}}"#, "{}"),
        (
            "TransactWriteItems",
            r#"{"ClientRequestToken":"t1","TransactItems":[{"Update":{"TableName":"tab","Key":{"p":{"S":"c"}},"UpdateExpression":"ADD x :x","ExpressionAttributeValues":{":x":{"N":"1"}}}}],"ReturnConsumedCapacity":"TOTAL"}"#,
            r#"{"ConsumedCapacity":[{"TableName":"tab","CapacityUnits":2.0,"WriteCapacityUnits":2.0}]}"#,
        ),
        (
            "TransactWriteItems",
            r#"{"ClientRequestToken":"t1","TransactItems":[{"Update":{"TableName":"tab","Key":{"p":{"S":"c"}},"UpdateExpression":"ADD x :x","ExpressionAttributeValues":{":x":{"N":"1"}}}}]}"#,
            "{}",
        ),
        (
            "TransactWriteItems",
            r#"{"ClientRequestToken":"t1","TransactItems":[{"Delete":{"TableName":"tab","Key":{"p":{"S":"c"}}}}]}"#,
            "! IdempotentParameterMismatchException: The client request token was used with different parameters",
        ),
        (
            "TransactGetItems",
            r#"{"TransactItems":[{"Get":{"TableName":"tab","Key":{"p":{"S":"c"}}}},{"Get":{"TableName":"tab","Key":{"p":{"S":"zz"}}}}]}"#,
            r#"{"Responses":[{"Item":{"p":{"S":"c"},"x":{"N":"1"}}},{}]}"#,
        ),
    ])
    .await;
}

#[tokio::test]
async fn streams_tell_changes_once_and_expiry_as_nobody_s() {
    let e = endpoint().await;
    e.ok("UpdateTimeToLive", json!({"TableName": "ran", "TimeToLiveSpecification": {"AttributeName": "x", "Enabled": true}})).await;
    let item = |v: &str| json!({"TableName": "ran", "Item": {"p": {"S": "a"}, "n": {"N": "1"}, "v": {"S": v}, "x": {"N": "1700000100"}}});
    for v in ["one", "one", "two"] {
        e.ok("PutItem", item(v)).await;
    }
    e.ok("DeleteItem", json!({"TableName": "ran", "Key": {"p": {"S": "none"}, "n": {"N": "1"}}})).await;
    let tables = &e.dynamodb.tables;
    assert_eq!(tables.expire_due(&e.call, 10).await.expect("none is due"), 0);
    e.clock.advance_ms(100_000);
    assert_eq!(tables.expire_due(&e.call, 10).await.expect("one is due"), 1);
    let records = tables.stream_records(&e.call, "ran", 0, 100).await.expect("records");
    let event = event(&e.dynamodb.account, &records);
    let names: Vec<&str> = event["Records"].as_array().expect("records").iter().filter_map(|record| record["eventName"].as_str()).collect();
    assert_eq!(names, ["INSERT", "MODIFY", "REMOVE"]);
    assert_eq!(event["Records"][2]["userIdentity"], json!({"type": "Service", "principalId": "dynamodb.amazonaws.com"}));
    assert_eq!(event["Records"][0]["dynamodb"].get("OldImage"), None);
    assert_eq!(event["Records"][1]["dynamodb"]["OldImage"]["v"], json!({"S": "one"}));

    let streams = |operation: &str| format!("DynamoDBStreams_20120810.{operation}");
    let arn = e.ok(&streams("ListStreams"), json!({"TableName": "ran"})).await["Streams"][0]["StreamArn"].clone();
    let shard = e.ok(&streams("DescribeStream"), json!({"StreamArn": arn})).await["StreamDescription"]["Shards"][0]["ShardId"].clone();
    let ask = json!({"StreamArn": arn, "ShardId": shard, "ShardIteratorType": "TRIM_HORIZON"});
    let iterator = e.ok(&streams("GetShardIterator"), ask).await["ShardIterator"].clone();
    let got = e.ok(&streams("GetRecords"), json!({"ShardIterator": iterator, "Limit": 2})).await;
    assert_eq!(got["Records"].as_array().map(Vec::len), Some(2));
    let next = got["NextShardIterator"].clone();
    e.ok("UpdateTable", json!({"TableName": "ran", "StreamSpecification": {"StreamEnabled": false}})).await;
    let got = e.ok(&streams("GetRecords"), json!({"ShardIterator": next})).await;
    assert_eq!((got["Records"].as_array().map(Vec::len), got.get("NextShardIterator")), (Some(1), None));
    e.clock.advance_ms(16 * 60 * 1000);
    e.check(
        &streams("GetRecords"),
        &json!({"ShardIterator": next}).to_string(),
        "! ExpiredIteratorException: Iterator expired. The iterator was created more than 15 minutes ago",
    )
    .await;
    e.clock.advance_ms(25 * 3600 * 1000);
    assert_eq!(tables.trim_streams(&e.call).await.expect("trimmed"), 3);
}

#[tokio::test]
async fn a_project_s_table_changes_shape_without_losing_items() {
    let e = endpoint().await;
    e.ok("PutItem", json!({"TableName": "ran", "Item": {"p": {"S": "a"}, "n": {"N": "1"}, "c": {"S": "x"}}})).await;
    let mut properties = ranged();
    assert_eq!(e.dynamodb.ensure(&e.call, "ran", &properties).await, Ok(false));
    properties["GlobalSecondaryIndexes"][0]["IndexName"] = json!("bycc");
    properties.as_object_mut().expect("an object").remove("StreamSpecification");
    assert_eq!(e.dynamodb.ensure(&e.call, "ran", &properties).await, Ok(true));
    let answer = e
        .ok("Query", json!({"TableName": "ran", "IndexName": "bycc", "KeyConditionExpression": "c = :c", "ExpressionAttributeValues": {":c": {"S": "x"}}}))
        .await;
    assert_eq!(answer["Count"], json!(1));
    let described = e.ok("DescribeTable", json!({"TableName": "ran"})).await;
    assert_eq!((described["Table"].get("StreamSpecification"), &described["Table"]["ItemCount"]), (None, &json!(1)));
    properties["KeySchema"][1]["AttributeName"] = json!("c");
    assert!(e.dynamodb.ensure(&e.call, "ran", &properties).await.is_err());
}

#[tokio::test]
async fn a_gzipped_request_is_read_and_work_is_billed() {
    use std::io::Write;
    let e = endpoint().await;
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    gzip.write_all(br#"{"TableName":"tab","Item":{"p":{"S":"a"}}}"#).expect("written");
    let request = http::Request::post("/")
        .header("x-amz-target", "DynamoDB_20120810.PutItem")
        .header("content-encoding", "gzip")
        .body(Body::from(gzip.finish().expect("gzip")))
        .expect("a request");
    assert_eq!(e.dynamodb.handle(&e.call, request).await.status(), 200);
    e.ok("GetItem", json!({"TableName": "tab", "Key": {"p": {"S": "a"}}, "ConsistentRead": true})).await;
    let total = e.call.meter.total();
    assert_eq!((total.get(Unit::TableWrites), total.get(Unit::TableReadHalves)), (1, 2));
}

/// Listens on `EMU_DYNAMODB_PORT` until stopped: to try genuine clients.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "serves until it is stopped"]
async fn serves_on_a_port() {
    let e = std::sync::Arc::new(endpoint().await);
    let port: u16 = std::env::var("EMU_DYNAMODB_PORT").expect("a port").parse().expect("a number");
    let listener = tokio::net::TcpListener::bind(("127.0.0.1", port)).await.expect("the port is free");
    loop {
        let (socket, _) = listener.accept().await.expect("a connection");
        let e = e.clone();
        tokio::spawn(async move {
            let service = hyper::service::service_fn(|request: http::Request<hyper::body::Incoming>| {
                let e = e.clone();
                async move {
                    let (parts, body) = request.into_parts();
                    let bytes = http_body_util::BodyExt::collect(body).await?.to_bytes();
                    Ok::<_, hyper::Error>(e.dynamodb.handle(&e.call, http::Request::from_parts(parts, Body::from(bytes))).await)
                }
            });
            let _ = hyper::server::conn::http1::Builder::new().serve_connection(hyper_util::rt::TokioIo::new(socket), service).await;
        });
    }
}

/// Prints microseconds per request of 100 bytes, all in but the socket.
#[tokio::test]
#[ignore = "measures"]
#[allow(clippy::print_stdout, reason = "printing is its purpose")]
async fn speed_of_a_put_and_a_get() {
    let e = endpoint().await;
    for operation in ["PutItem", "GetItem"] {
        let start = std::time::Instant::now();
        for n in 0..5000 {
            let body = match operation {
                "PutItem" => format!(r#"{{"TableName":"tab","Item":{{"p":{{"S":"key{n}"}},"v":{{"S":"{:090}"}}}}}}"#, n),
                _ => format!(r#"{{"TableName":"tab","Key":{{"p":{{"S":"key{n}"}}}}}}"#),
            };
            let request = http::Request::post("/")
                .header("x-amz-target", format!("DynamoDB_20120810.{operation}"))
                .body(Body::from(body))
                .expect("a request");
            assert_eq!(e.dynamodb.handle(&e.call, request).await.status(), 200);
        }
        println!("{operation}: {} us", start.elapsed().as_micros() / 5000);
    }
}
