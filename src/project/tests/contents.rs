//! What the keys of the file become.

use super::*;

#[test]
fn events_become_sources() {
    let check = |event: &str, expected: &str| {
        let yaml = format!(
            "functions: {{ a: {{ handler: a.h, events: [{event}] }} }}\nresources:\n  Resources:\n    Q: {{ Type: AWS::SQS::Queue }}\n    T:\n      Type: AWS::DynamoDB::Table\n      Properties:\n        \
             TableName: tab\n        StreamSpecification: {{ StreamViewType: KEYS_ONLY }}\n        KeySchema: [{{ AttributeName: id, KeyType: HASH }}]\n        AttributeDefinitions: [{{ AttributeName: id, AttributeType: S }}]\n"
        );
        let shown = match load_files(&[("serverless.yaml", &format!("{HEAD}{yaml}")), ("a.ts", "")]) {
            Ok(loaded) => loaded.project.functions[0].events.iter().map(|e| format!("{e:?}")).collect::<Vec<_>>().join(" & "),
            Err(shown) => shown
                .lines()
                .filter(|l| l.starts_with("error") || l.contains("help"))
                .map(|l| l.trim().to_string())
                .collect::<Vec<_>>()
                .join(" "),
        };
        assert_eq!(shown.replace("String(\"", "").replace('"', "'"), expected, "{event}");
    };
    check("{ httpApi: 'GET /a/{id}' }", "HttpApi { method: Only('GET'), path: '/a/{id}', payload: V2 }");
    check("{ httpApi: { method: post, path: /a } }", "HttpApi { method: Only('POST'), path: '/a', payload: V2 }");
    check("{ httpApi: '*' }", "HttpApi { method: Any, path: '*', payload: V2 }");
    check("{ httpApi: '* /{proxy+}' }", "HttpApi { method: Any, path: '/{proxy+}', payload: V2 }");
    check("{ http: 'any a/{x}' }", "Http { method: Any, path: '/a/{x}', cors: None }");
    check(
        "{ http: { method: get, path: a, cors: true } }",
        "Http { method: Only('GET'), path: '/a', cors: Some(Cors { origins: ['*'], headers: ['Content-Type', 'X-Amz-Date', 'Authorization', 'X-Api-Key', 'X-Amz-Security-Token', 'X-Amz-User-Agent', 'X-Amzn-Trace-Id'], methods: ['GET', 'OPTIONS'], exposed_headers: [], credentials: false, max_age_s: None }) }",
    );
    check(
        "{ schedule: rate(5 minutes) }",
        "Schedule(Schedule { name: 'a-schedule-1', expression: 'rate(5 minutes)', enabled: true, input: None })",
    );
    check(
        "{ schedule: { rate: ['rate(1 hour)'], enabled: false, input: { x: 1 } } }",
        "Schedule(Schedule { name: 'a-schedule-1', expression: 'rate(1 hour)', enabled: false, input: Some(Object {'x': Number(1)}) })",
    );
    check(
        "{ sqs: !GetAtt Q.Arn }",
        "Queue(QueueSource { queue: 's-dev-Q', batch_size: 10, window_s: 0, partial_failures: false, enabled: true, concurrency_max: None, filters: [] })",
    );
    check(
        "{ sqs: { arn: !GetAtt Q.Arn, batchSize: '5', functionResponseType: ReportBatchItemFailures } }",
        "Queue(QueueSource { queue: 's-dev-Q', batch_size: 5, window_s: 0, partial_failures: true, enabled: true, concurrency_max: None, filters: [] })",
    );
    check("{ s3: photos }", "Bucket(BucketSource { bucket: 'photos', event: 's3:ObjectCreated:*', prefix: None, suffix: None })");
    check(
        "{ s3: { bucket: photos, event: s3:ObjectRemoved:*, rules: [{ prefix: a/ }, { suffix: .jpg }] } }",
        "Bucket(BucketSource { bucket: 'photos', event: 's3:ObjectRemoved:*', prefix: Some('a/'), suffix: Some('.jpg') })",
    );
    check(
        "{ stream: { type: dynamodb, arn: !GetAtt T.StreamArn, startingPosition: LATEST, maximumRetryAttempts: 2 } }",
        "Stream(StreamSource { table: 'tab', batch_size: 10, window_s: 0, from_latest: true, retries_max: Some(2), bisect: false, partial_failures: false, on_failure: None, enabled: true, filters: [] })",
    );
    check("{ sns: news }", "Topic(TopicSource { topic: 'news', filter: None })");
    check("{ httpApi: GET a }", "error: the path `a` of an `httpApi` route must begin with `/` = help: `GET /a`");
    check("{ httpApi: GTE /a }", "error: `GTE` is not a method = help: did you mean `GET`?");
    check("{ httpApi: 'GET /a/:id' }", "error: `/a/:id` is not a path of a route = help: parameters are written `{id}`");
    check(
        "{ httpApi: 'GET /a/{b+}/c' }",
        "error: `/a/{b+}/c` is not a path of a route = help: `{b+}` takes all the rest, so it must be last",
    );
    check(
        "{ schedule: rate(5 minute) }",
        "error: `rate(5 minute)` is not a schedule = help: AWS wants `rate(5 minutes)`: one is singular, more are plural",
    );
    check("{ sqs: q }", "error: `q` is not the ARN of a queue = help: such as `arn: !GetAtt Q.Arn`");
    check(
        "{ sqs: { arn: !GetAtt Q.Arn, batchSize: 20 } }",
        "error: batches of 20 need a batching window = help: add `maximumBatchingWindow: 1`, or set `batchSize` to 10 or less",
    );
    check("{ stream: !GetAtt T.Arn }", "error: this is the ARN of the table `tab`, not of its stream = help: use `!GetAtt T.StreamArn`");
    check(
        "{ s3: { bucket: photos, event: s3:ObjectCreatd:* } }",
        "error: `functions.a.events[0].s3.event` must be one of the known texts, not `s3:ObjectCreatd:*` = help: did you mean `s3:ObjectCreated:*`?",
    );
}

#[test]
fn a_bucket_that_a_deployment_would_make_twice_is_warned_of() {
    let check = |logical_id: &str, event: &str, expected: &[&str]| {
        let yaml = format!(
            "functions: {{ a: {{ handler: a.h, events: [{{ s3: {event} }}] }} }}\n\
             resources: {{ Resources: {{ {logical_id}: {{ Type: AWS::S3::Bucket, Properties: {{ BucketName: my-photos }} }} }} }}"
        );
        let warnings: Vec<String> = loaded(&yaml).warnings.into_iter().map(|problem| problem.message).collect();
        assert_eq!(warnings, expected, "{yaml}");
    };
    check("Photos", "my-photos", &["a deployment makes the bucket `my-photos` twice: for this event, and as `Photos`"]);
    check("Photos", "{ bucket: my-photos, existing: true }", &[]);
    check("S3BucketMyphotos", "my-photos", &[]);
}

#[test]
fn resources_are_read_and_checked() {
    let project = valid(
        "resources:\n  - Resources: { Q: { Type: AWS::SQS::Queue, Properties: { RedrivePolicy: { deadLetterTargetArn: !GetAtt D.Arn, maxReceiveCount: 2 } } } }\n  - Resources: { D: { Type: AWS::SQS::Queue } }\n  \
         - Resources:\n      N: { Type: AWS::SNS::Topic }\n      S: { Type: AWS::SNS::Subscription, Properties: { TopicArn: !Ref N, Protocol: sqs, Endpoint: !GetAtt Q.Arn, RawMessageDelivery: true } }\n",
    );
    let queue = &project.resources.queues[0];
    assert_eq!(queue.name, "s-dev-Q");
    assert_eq!(
        queue.properties.to_string(),
        r#"{"RedrivePolicy":{"deadLetterTargetArn":"arn:aws:sqs:us-east-1:000000000000:s-dev-D","maxReceiveCount":2},"QueueName":"s-dev-Q"}"#
    );
    let (protocol, endpoint, attributes) = &project.resources.topics[0].subscriptions[0];
    assert_eq!((protocol.as_str(), endpoint.as_str()), ("sqs", "arn:aws:sqs:us-east-1:000000000000:s-dev-Q"));
    assert_eq!(attributes.to_string(), r#"{"RawMessageDelivery":true}"#);
    wrong(
        "resources: { Resources: { T: { Type: AWS::DynamoDB::Tabel } } }",
        "there is no resource type `AWS::DynamoDB::Tabel` @3:27 = did you mean `AWS::DynamoDB::Table`?",
    );
    wrong(
        "resources: { Resources: { T: { Type: AWS::DynamoDB::Table, Properties: { KeySchema: [{ AttributeName: id, KeyType: HASH }] } } } }",
        "the table `T` has the key `id`, which `AttributeDefinitions` does not define @3:27 = add `{ AttributeName: id, AttributeType: S }`",
    );
    wrong(
        "resources: { Resources: { A: { Type: AWS::SQS::Queue, Properties: { QueueName: x } }, B: { Type: AWS::SQS::Queue, Properties: { QueueName: x } } } }",
        "two resources are called `x`: the first is on line 3 @3:87 = give one of them another name",
    );
    wrong(
        "resources: { Resources: { B: { Type: AWS::S3::Bucket, Properties: { BucketName: My_Bucket } } } }",
        "`My_Bucket` cannot be the name of `B` @3:27 = Bucket names: 3 to 63 lower-case letters, digits, `-` and `.`",
    );
    let told = |configuration: &str| {
        format!(
            "resources: {{ Resources: {{ Mails: {{ Type: AWS::SQS::Queue, Properties: {{ QueueName: mails }} }}, B: {{ Type: AWS::S3::Bucket, Properties: {{ BucketName: photos, NotificationConfiguration: {{ {configuration} }} }} }} }} }}"
        )
    };
    let rows = [
        (
            "QueueConfigurations: [{ Event: 's3:ObjectCreate:*', Queue: 'a:mails' }]",
            "S3 has no event `s3:ObjectCreate:*` @3:95 = did you mean `s3:ObjectCreated:*`?",
        ),
        (
            "QueueConfigurations: [{ Event: 's3:ObjectCreated:*', Queue: 'a:mail' }]",
            "the bucket `B` tells a queue `mail` that there is not @3:95 = did you mean `mails`?",
        ),
        ("TopicConfigurations: [{ Topic: 'a:t' }]", "each of `TopicConfigurations` of the bucket `B` needs `Event` and `Topic` @3:95 = -"),
        (
            "QueueConfigurations: [{ Event: 's3:ObjectCreated:*', Queue: 'a:mails', Filter: { S3Key: { Rules: [{ Name: infix, Value: a }] } } }]",
            "a filter of the bucket `B` has the name `infix` @3:95 = `prefix` or `suffix`",
        ),
    ];
    for (configuration, problem) in rows {
        wrong(&told(configuration), problem);
    }
}

#[test]
fn functions_get_what_the_provider_says() {
    let files = [
        (
            "serverless.yaml",
            "service: s\nprovider: { name: aws, memorySize: 256, environment: { A: p, B: p, C: p } }\nfunctions:\n  - a: { handler: a.h, timeout: '12', environment: { A: f, C: null, N: 1.5 } }\n  - ${file(f.yml)}\n",
        ),
        ("f.yml", "b: { handler: a.h, name: other, destinations: { onSuccess: a } }\n"),
        ("a.ts", ""),
        (".env", "A=e\nZ=e\n"),
        (".env.dev", "Z=dev\n"),
    ];
    let project = load_files(&files).expect("a valid project").project;
    let [a, b] = &project.functions[..] else { panic!("two functions") };
    assert_eq!((a.memory_mib, a.timeout_ms, b.timeout_ms), (256, 12_000, 6_000));
    assert_eq!((a.deployed_name.as_str(), b.deployed_name.as_str()), ("s-dev-a", "other"));
    let shown: Vec<String> = a.environment.iter().map(|(k, v)| format!("{k}={v}")).collect();
    assert_eq!(shown.join(" "), "A=f B=p N=1.5 Z=dev");
    assert_eq!(b.on_success, Some(Destination::Function("a".into())));
    let names: Vec<_> = project.sources.iter().filter_map(|s| s.file_name()?.to_str()).collect();
    assert_eq!(names.join(" "), ".env .env.dev .env.local f.yml firebase.json serverless.yaml");
}

#[test]
fn routes_that_are_there_twice_are_refused() {
    wrong(
        "functions:\n  a: { handler: a.h, events: [{ httpApi: 'GET /x/{id}' }] }\n  b: { handler: a.h, events: [{ httpApi: 'GET /x/{name}' }] }\n",
        "the route `GET /x/{name}` is there twice: in `a` and in `b` @5:3 = a route has one function",
    );
}

#[test]
fn the_journal_keeps_what_the_project_says_or_the_usual() {
    for (yaml, records_max, bytes_max) in [
        ("", 50_000, 200_000_000),
        ("emu: { journal: { recordsMax: 7 } }", 7, 200_000_000),
        ("emu: { journal: { recordsMax: 0, megabytesMax: 3 } }", 0, 3_000_000),
    ] {
        assert_eq!(valid(yaml).settings.journal, Journal { records_max, bytes_max }, "{yaml}");
    }
    wrong(
        "emu: { journal: { megabytesMax: -1 } }",
        "`emu.journal.megabytesMax` must be a whole number from 0 to 1000000, not `-1` @3:33 = -",
    );
}

#[test]
fn budgets_name_routes_and_functions_and_wrong_ones_are_shown_where_they_stand() {
    let functions =
        "functions: { a: { handler: a.h, events: [httpApi: POST /orders, http: 'get /x/{id}', httpApi: ANY /any, httpApi: '*'] } }\n";
    let yaml = format!(
        "{functions}emu: {{ budget: {{ 'post  /orders': 4e-5, a: $0.5, 'GET /x/{{id}}': '1', ANY /any: 0.0000001, $default: 0 }} }}"
    );
    let loaded = loaded(&yaml);
    let told: Vec<String> =
        loaded.project.settings.budgets.iter().map(|b| format!("{} {} {}:{}", b.subject, b.dollars, b.at.line, b.at.column)).collect();
    assert_eq!(told, ["POST /orders 0.00004 4:18", "a 0.5 4:41", "GET /x/{id} 1 4:50", "ANY /any 0.0000001 4:70", "$default 0 4:91"]);
    assert_eq!(loaded.warnings, []);
    for (budget, expected) in [
        ("{ a: lots }", "`lots` is no budget for `a` @4:21 = write what one call may cost in dollars, such as 0.00004"),
        ("{ a: -1 }", "`-1` is no budget for `a` @4:21 = write what one call may cost in dollars, such as 0.00004"),
        ("{ a: [1] }", "`emu.budget.a` must be text, not a list @4:21 = -"),
        ("[a]", "`emu.budget` must be a map, not a list @4:16 = -"),
        (
            "{ POST /order: 1 }",
            "? `emu.budget` names `POST /order`, which is neither a route nor a function @4:18 = did you mean `POST /orders`?",
        ),
        ("{ PUT /any: 1 }", ""),
        (
            "{ somewhere else: 1 }",
            "? `emu.budget` names `somewhere else`, which is neither a route nor a function @4:18 = there are `a`, `POST /orders`, `GET /x/{id}`, `ANY /any`, `$default`",
        ),
    ] {
        wrong(&format!("{functions}emu: {{ budget: {budget} }}"), expected);
    }
}
