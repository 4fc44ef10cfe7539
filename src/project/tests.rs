//! A project file in, the model or the exact text of its problems out.

use std::path::Path;

use super::keys::{self, Shape, Support};
use super::yaml::{self, Node, Value};
use super::*;

const HEAD: &str = "service: s\nprovider: { name: aws }\n";

/// A folder with files; the first is the project file.
fn folder(files: &[(&str, &str)]) -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    for (name, text) in files {
        let path = folder.path().join(name);
        std::fs::create_dir_all(path.parent().expect("it is in the folder")).expect("a folder");
        std::fs::write(path, text).expect("a file");
    }
    folder
}

fn load_files(files: &[(&str, &str)]) -> Result<Loaded, String> {
    let folder = folder(files);
    let mut request = Load::new(folder.path());
    request.env.insert("FROM_HOST".into(), "host".into());
    load(&request).map_err(|problems| Renderer::new(folder.path(), false).render_all(&problems))
}

fn valid(yaml: &str) -> Project {
    loaded(yaml).project
}

fn loaded(yaml: &str) -> Loaded {
    match load_files(&[("serverless.yaml", &format!("{HEAD}{yaml}")), ("a.ts", ""), ("b.ts", "")]) {
        Ok(loaded) => loaded,
        Err(shown) => panic!("{shown}"),
    }
}

/// `message @line:column = help` of every problem, warnings with `?`.
fn problems(files: &[(&str, &str)]) -> String {
    let folder = folder(files);
    let found = match load(&Load::new(folder.path())) {
        Ok(loaded) => loaded.warnings,
        Err(problems) => problems,
    };
    let one = |p: &Problem| {
        let at = p.at.as_ref().map(|at| format!("{}:{}", at.line, at.column)).unwrap_or_default();
        let mark = if p.severity == Severity::Warning { "? " } else { "" };
        format!("{mark}{} @{at} = {}", p.message, p.help.as_deref().unwrap_or("-"))
    };
    found.iter().map(one).collect::<Vec<_>>().join("\n").replace(&format!("{}/", folder.path().display()), "")
}

#[track_caller]
fn wrong(yaml: &str, expected: &str) {
    let text = format!("{HEAD}{yaml}");
    assert_eq!(problems(&[("serverless.yaml", &text), ("a.ts", ""), ("lib/thing.js", "")]), expected, "{yaml}");
}

#[test]
fn a_problem_shows_its_line() {
    let shown =
        load_files(&[("serverless.yaml", &format!("{HEAD}functions:\n  a:\n    handler: a.h\n    memroySize: 256\n")), ("a.ts", "")]);
    let expected = "\
error: unknown key `memroySize` in `functions.a`
 --> serverless.yaml:6:5
  |
6 |     memroySize: 256
  |     ^^^^^^^^^^
  = help: did you mean `memorySize`?
";
    assert_eq!(shown.err().as_deref(), Some(expected));
}

#[test]
fn wrong_keys_and_values_are_all_reported() {
    wrong("functons: {}", "unknown key `functons` @3:1 = did you mean `functions`?");
    wrong(
        "functions:\n  a:\n    handler: a.h\n    memorySize: 64\n    timeout: 5m\n    events: [{ htpApi: GET / }]",
        "`functions.a.memorySize` must be a whole number from 128 to 10240, not `64` @6:17 = -\n\
         `functions.a.timeout` must be a whole number from 1 to 900, not `5m` @7:14 = -\n\
         unknown key `htpApi` in `functions.a.events[0]` @8:16 = did you mean `httpApi`?",
    );
    wrong(
        "functions: { a: { handler: b.h } }",
        "the handler of `a` has no file: looked for b.{ts,mts,cts,js,mjs,cjs,tsx,jsx} @3:28 = did you mean `a.h`?",
    );
    wrong(
        "functions: { a: { handler: lib/think.h } }",
        "the handler of `a` has no file: looked for lib/think.{ts,mts,cts,js,mjs,cjs,tsx,jsx} @3:28 = did you mean `lib/thing.h`?",
    );
    wrong("functions: { a: {} }", "the function `a` has no `handler` @3:14 = such as `handler: src/hello.handler`");
    wrong(
        "functions: { a: { handler: a } }",
        "the handler `a` names no export @3:28 = `a.handler`: the file without its ending, a dot, the export",
    );
    wrong(
        "emu: { sandbox: { isolation: frsh } }",
        "`emu.sandbox.isolation` must be one of `fresh`, `warm`, not `frsh` @3:30 = did you mean `fresh`?",
    );
    wrong(
        "emu: { sandbox: { allow: ['https://a.b/c'] } }",
        "`https://a.b/c` in `emu.sandbox.allow` is not a host @3:27 = write the host alone: `a.b`",
    );
    wrong("a: 1\na: 2", "`a` is there twice: first on line 3 @4:1 = remove one of the two");
    wrong("custom: !Reff x", "unknown tag `!Reff` @3:9 = did you mean `!Ref`?");
    wrong(
        "functions:\n  a:\n    handler: a.h\n    events:\n      - httpApi:\n        path: /\n",
        "`functions.a.events[0]` must have one key, the kind of event; `path` is a second one @8:9 = begin each event with `- `, and indent its settings by two more spaces than its name",
    );
}

#[test]
fn a_file_that_is_no_project_says_so() {
    let check = |files: &[(&str, &str)], expected: &str| assert_eq!(problems(files), expected);
    check(&[("serverless.yaml", "")], "the file is empty @1:1 = begin with `service: NAME`; serverless.yaml.example shows every key");
    check(
        &[("serverless.yml", "a\n")],
        "a project file is a map, not text @1:1 = begin with `service: NAME`; serverless.yaml.example shows every key",
    );
    check(
        &[("serverless.yaml", "service: s\nprovider: { name: google }\n")],
        "the provider `google` is not emulated @2:19 = emu runs projects of the provider `aws`",
    );
    check(
        &[("serverless.yaml", "functions: {}\n")],
        "the project has no name @1:1 = add `service: NAME` at the top\nthe project has no provider @1:1 = add `provider: { name: aws, runtime: nodejs20.x }`",
    );
    let nowhere = problems(&[("serverless.ts", "")]);
    assert!(
        nowhere.starts_with("no serverless.yaml or serverless.yml in ")
            && nowhere.ends_with("`serverless.ts` is not read: write the project as serverless.yaml"),
        "{nowhere}"
    );
}

#[test]
fn what_is_not_emulated_is_one_warning() {
    wrong(
        "functions:\n  a:\n    handler: a.h\n    vpc: { x: 1 }\n    layers: [!Ref XLambdaLayer]\n    events:\n      - websocket: $connect\n      - alexaSkill\n",
        "? valid, but not emulated: `functions.a.vpc` (line 6), `functions.a.layers` (line 7), `functions.a.events[0].websocket` (line 9), \
         `functions.a.events[1].alexaSkill` (line 10) @6:5 = emu goes on as if these were not there; a deployment still uses them",
    );
    wrong(
        "plugins: [serverless-offline, serverless-foo]\nresources:\n  Resources:\n    R: { Type: AWS::IAM::Role }\n    P: { Type: AWS::Cognito::UserPool }",
        "? plugins are not run: `serverless-foo` @3:31 = what they add to the project is missing here\n\
         ? resource types that are not emulated: `AWS::Cognito::UserPool` (line 7) @7:5 = references to them get names only",
    );
    wrong(
        "functions: { a: { handler: a.h, runtime: python3.12 } }",
        "? `a` is left out: emu does not run `python3.12` @3:42 = it runs `nodejs20.x` and the like, and `wasm`",
    );
}

#[test]
fn variables_get_their_values() {
    let check = |variable: &str, expected: &str| {
        let yaml = format!(
            "custom:\n  n: 5\n  text: t\n  map: {{ a: [x, y] }}\n  hop: ${{self:custom.map}}\n  word: ${{self:custom.text}}\nparams: {{ default: {{ p: d }}, dev: {{ q: e }} }}\n\
             emu: {{ variables: {{ 'ssm:/k': v }} }}\nfunctions: {{ a: {{ handler: a.h, environment: {{ X: \"{variable}\" }} }} }}\n"
        );
        let files = [
            ("serverless.yaml", &*format!("{HEAD}{yaml}")),
            ("a.ts", ""),
            ("f.yml", "k: { l: 7 }\ns: ${self:service}"),
            ("f.json", "{\"j\":\t[1]}"),
            (".env", "E=env\nFROM_HOST=no"),
        ];
        let shown = match load_files(&files) {
            Ok(loaded) => loaded.project.functions[0].environment["X"].clone(),
            Err(shown) => shown
                .lines()
                .filter(|l| l.starts_with("error") || l.contains("help"))
                .map(|l| l.trim().to_string())
                .collect::<Vec<_>>()
                .join(" "),
        };
        assert_eq!(shown, expected, "{variable}");
    };
    check("${self:custom.n}", "5");
    check("a-${self:custom.text}-${self:custom.word}", "a-t-t");
    check("${self:custom.hop.a.1}", "y");
    check("${env:E} ${env:FROM_HOST}", "env host");
    check("${env:NONE, 'default'}", "default");
    check("${env:NONE, self:custom.text}", "t");
    check("${opt:stage, 'prod'}${opt:stage}${sls:stage}", "proddevdev");
    check("${opt:foo, ''}", "");
    check("${param:p}${param:q}", "de");
    check("${aws:region}/${aws:accountId}", "us-east-1/000000000000");
    check("${file(./f.yml):k.l}${file(f.yml):s}${file(./f.json):j.0}", "7s1");
    check("${file(./${self:custom.none, 'f'}.yml):k.l}", "7");
    check("${file(./none.yml):k, 'x'}", "x");
    check("${ssm:/k}${cf:stack.Out, 'c'}", "vc");
    check("${strToBool('1')}", "true");
    check("${self:custom.map}", "error: `functions.a.environment.X` must be text, not a map");
    check("x${self:custom.map}", "error: `${self:custom.map}` is a map: it cannot stand inside text");
    check(
        "${env:NONE}",
        "error: cannot resolve `${env:NONE}`: the environment variable `NONE` is not set = help: set it in `.env`, or give a default: `${env:NONE, 'default'}`",
    );
    check("${self:custom.txt}", "error: cannot resolve `${self:custom.txt}`: `self:custom.txt` has no value; did you mean `text`?");
    check(
        "${file(./x.js):a}",
        "error: `./x.js` is code: only .yml, .yaml and .json files are read = help: emu runs no code to read a project; write the values as YAML or JSON",
    );
    check("${file(./none.yml)}", "error: cannot resolve `${file(./none.yml)}`: the file `./none.yml` does not exist");
    check("${slef:a}", "error: `${slef:a}`: there are no variables `slef:` = help: did you mean `self:`?");
    check("${self:a", "error: `${self:a` is never closed: a `}` is missing");
}

#[test]
fn variables_that_go_in_a_circle_are_refused() {
    wrong(
        "custom:\n  a: ${self:custom.b}\n  b: x-${self:custom.c.d}\n  c: ${self:custom.a}\n",
        "variables refer to each other in a circle: self:custom.b → self:custom.c.d → self:custom.a → self:custom.b @4:6 = -",
    );
}

#[test]
fn bombs_are_refused() {
    let mut aliases = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n".to_string();
    let mut variables = "custom:\n  a0: [x, x, x, x, x, x, x, x, x, x]\n".to_string();
    let mut texts = format!("custom:\n  a0: {}\n", "x".repeat(100));
    for i in 1..10 {
        aliases += &format!("a{i}: &a{i} [{}]\n", vec![format!("*a{}", i - 1); 10].join(", "));
        variables += &format!("  a{i}: [{}]\n", vec![format!("\"${{self:custom.a{}}}\"", i - 1); 10].join(", "));
        texts += &format!("  a{i}: {}\n", format!("${{self:custom.a{}}}", i - 1).repeat(10));
    }
    let chain: String = (0..5_000).map(|i| format!("  a{i}: {{ x: \"${{self:custom.a{}}}\" }}\n", i + 1)).collect();
    for (yaml, expected) in [
        (aliases, "too large once its aliases are expanded"),
        (variables, "variables make too much"),
        (texts, "variables make too much"),
        (format!("custom:\n{chain}"), "variables make too much"),
        (format!("custom: {}{}", "[".repeat(200), "]".repeat(200)), "nested too deeply"),
        (format!("custom: {}{}", "[".repeat(5_000), "]".repeat(5_000)), "not valid YAML: "),
        (format!("custom: \"{}\"", "${self:".repeat(5_000)), "variables are nested too deeply"),
    ] {
        let shown = problems(&[("serverless.yaml", &format!("{HEAD}{yaml}"))]);
        assert!(shown.contains(expected), "{expected}: {}", shown.chars().take(500).collect::<String>());
    }
}

#[test]
fn references_become_local_names() {
    let check = |reference: &str, expected: &str| {
        let yaml = format!(
            "functions: {{ a: {{ handler: a.h, environment: {{ X: {reference} }} }}, b-c: {{ handler: b.h }} }}\nresources:\n  Conditions: {{ Yes: !Equals [a, a], No: !Not [!Condition Yes] }}\n  \
             Parameters: {{ P: {{ Default: 4 }} }}\n  Resources:\n    Q: {{ Type: AWS::SQS::Queue, Properties: {{ QueueName: !Sub 'q-${{AWS::Region}}' }} }}\n    F: {{ Type: AWS::SQS::Queue, Properties: {{ FifoQueue: true }} }}\n    \
             T: {{ Type: AWS::DynamoDB::Table, Properties: {{ KeySchema: [{{ AttributeName: id, KeyType: HASH }}], AttributeDefinitions: [{{ AttributeName: id, AttributeType: S }}] }} }}\n    \
             B: {{ Type: AWS::S3::Bucket }}\n    N: {{ Type: AWS::SNS::Topic, Properties: {{ TopicName: n }} }}\n    U: {{ Type: AWS::IAM::Role }}\n"
        );
        let shown = match load_files(&[("serverless.yaml", &format!("{HEAD}{yaml}")), ("a.ts", ""), ("b.ts", "")]) {
            Ok(loaded) => loaded.project.functions[0].environment.get("X").cloned().unwrap_or_else(|| "nothing".into()),
            Err(shown) => shown
                .lines()
                .filter(|l| l.starts_with("error") || l.contains("help"))
                .map(|l| l.trim().to_string())
                .collect::<Vec<_>>()
                .join(" "),
        };
        assert_eq!(shown, expected, "{reference}");
    };
    check("!Ref Q", "http://localhost:4566/000000000000/q-us-east-1");
    check("!GetAtt Q.Arn", "arn:aws:sqs:us-east-1:000000000000:q-us-east-1");
    check("{ 'Fn::GetAtt': [Q, QueueName] }", "q-us-east-1");
    check("!GetAtt F.QueueName", "s-dev-F.fifo");
    check("!Ref T", "s-dev-T");
    check("!GetAtt T.StreamArn", "arn:aws:dynamodb:us-east-1:000000000000:table/s-dev-T/stream/2026-01-01T00:00:00.000");
    check("!Ref B", "s-dev-b");
    check("!GetAtt B.Arn", "arn:aws:s3:::s-dev-b");
    check("!Ref N", "arn:aws:sns:us-east-1:000000000000:n");
    check("!GetAtt U.Arn", "arn:aws:iam::000000000000:s-dev-U");
    check("!Ref BDashcLambdaFunction", "s-dev-b-c");
    check("!GetAtt ALambdaFunction.Arn", "arn:aws:lambda:us-east-1:000000000000:function:s-dev-a");
    check("!Sub '${Q.Arn}/${AWS::AccountId}/${!Raw}/${P}'", "arn:aws:sqs:us-east-1:000000000000:q-us-east-1/000000000000/${Raw}/4");
    check("!Sub ['${x}-${T}', { x: !Ref AWS::Partition }]", "aws-s-dev-T");
    check("!Join ['/', [a, !Ref P, !Select [1, !Split [',', 'x,y']]]]", "a/4/y");
    check("!If [Yes, 1, 2]", "1");
    check("!If [No, 1, !Ref AWS::NoValue]", "nothing");
    check("!Base64 hi", "aGk=");
    check("!Ref Qqqq", "error: there is no resource `Qqqq` = help: references name what stands under `resources.Resources`");
    check("!Ref AWS::Regoin", "error: there is no resource `AWS::Regoin` = help: did you mean `AWS::Region`?");
    check("!GetAtt Q.Arm", "error: `Q` (AWS::SQS::Queue) has no attribute `Arm` = help: did you mean `Arn`?");
    check("!GetAtt Q", "error: `Fn::GetAtt` takes a resource and an attribute: `[Queue, Arn]`");
    check("!If [Yess, 1, 2]", "error: there is no condition `Yess` = help: did you mean `Yes`?");
    check("{ 'Fn::Joyn': x }", "error: there is no function `Fn::Joyn` = help: did you mean `Fn::Join`?");
    check("!Select [3, [a]]", "error: `Fn::Select` takes an index from 0: the list has 1 items, not item 3");
}

#[test]
fn references_in_a_circle_are_refused() {
    wrong(
        "resources:\n  Resources:\n    A: { Type: AWS::S3::Bucket, Properties: { BucketName: !Sub '${B}-a' } }\n    B: { Type: AWS::S3::Bucket, Properties: { BucketName: !Sub '${A}-b' } }\n    C: { Type: AWS::S3::Bucket }",
        "references go in a circle: name of B → name of A → name of B @6:59 = -",
    );
}

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
    assert_eq!(names.join(" "), ".env .env.dev .env.local f.yml serverless.yaml");
}

#[test]
fn routes_that_are_there_twice_are_refused() {
    wrong(
        "functions:\n  a: { handler: a.h, events: [{ httpApi: 'GET /x/{id}' }] }\n  b: { handler: a.h, events: [{ httpApi: 'GET /x/{name}' }] }\n",
        "the route `GET /x/{name}` is there twice: in `a` and in `b` @5:3 = a route has one function",
    );
}

#[test]
fn scalars_are_typed_as_yaml_1_2_says() {
    let check = |text: &str, expected: &str| {
        let node = yaml::parse(Path::new("x.yml"), &format!("a: {text}\n")).expect("valid YAML");
        assert_eq!(node.get("a").map_or("null".to_string(), |n| format!("{:?}", n.value)), expected, "{text}");
    };
    check("1", "Int(1)");
    check("0x1F", "Int(31)");
    check("0o17", "Int(15)");
    check("1.50", "Float(1.5)");
    check("-1e3", "Float(-1000.0)");
    check("yes", "Text(\"yes\")");
    check("True", "Bool(true)");
    check("'true'", "Text(\"true\")");
    check("!!str 1", "Text(\"1\")");
    check("~", "null");
    check("2012-10-17", "Text(\"2012-10-17\")");
    check("1.2.3", "Text(\"1.2.3\")");
    check("nan", "Text(\"nan\")");
    check("infinity", "Text(\"infinity\")");
    check("e5", "Text(\"e5\")");
    check("99999999999999999999", "Float(1e20)");
}

#[test]
fn anchors_and_merges_are_expanded() {
    let node = yaml::parse(Path::new("x.yml"), "a: &a { x: 1, y: 2 }\nb: { <<: *a, y: 3 }\nc: { <<: [{ z: 1 }, *a] }\nd: *a\n")
        .expect("valid YAML");
    assert_eq!(node.json().to_string(), r#"{"a":{"x":1,"y":2},"b":{"y":3,"x":1},"c":{"z":1,"x":1,"y":2},"d":{"x":1,"y":2}}"#);
    for (text, expected) in [
        ("a: &a [*a]", "this alias stands inside what it stands for"),
        ("a: *b", "not valid YAML"),
        ("a: b: c", "not valid YAML"),
        ("a:\n\t- b", "not valid YAML"),
        ("? [a]\n: b", "a key must be text"),
        ("a: 1\n---\nb: 2", "a second YAML document"),
        ("a: {<<: 1}", "`<<` takes a map"),
    ] {
        let problems = yaml::parse(Path::new("x.yml"), text).expect_err(text);
        assert!(problems[0].message.contains(expected), "{text}: {}", problems[0].message);
    }
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

const EXAMPLE: &str = include_str!("../../serverless.yaml.example");

#[test]
fn the_example_has_no_problems() {
    let files = [("serverless.yaml", EXAMPLE), ("src/orders.ts", ""), ("src/worker.ts", ""), ("settings.yml", "limits: { orders: 50 }\n")];
    let loaded = load_files(&files).unwrap_or_else(|shown| panic!("{shown}"));
    assert_eq!(loaded.warnings, []);
    assert_eq!(loaded.project.functions.len(), 3);
    assert!(!loaded.project.resources.queues.iter().any(|q| q.logical_id == "Audit"), "its condition does not hold");
}

#[test]
fn the_example_shows_every_key() {
    let node = yaml::parse(Path::new("serverless.yaml.example"), EXAMPLE).expect("valid YAML");
    let mut missing = Vec::new();
    shown(&[&node], &keys::FILE, "", &mut missing);
    assert_eq!(missing, Vec::<String>::new());
}

/// Notes which keys of `shape` none of `nodes` has.
fn shown(nodes: &[&Node], shape: &Shape, path: &str, missing: &mut Vec<String>) {
    let maps: Vec<&Node> = nodes.iter().copied().filter(|n| matches!(n.value, Value::Map(_))).collect();
    match shape {
        Shape::Map(keys) | Shape::OneKey(keys) => {
            for key in keys.iter().filter(|k| k.support == Support::Full) {
                let path = format!("{path}.{}", key.name);
                let found: Vec<&Node> = maps.iter().filter_map(|n| n.get(key.name)).collect();
                if found.is_empty() {
                    missing.push(path);
                } else {
                    shown(&found, key.shape, &path, missing);
                }
            }
        }
        Shape::MapOf(inner) => {
            let found: Vec<&Node> = maps.iter().flat_map(|n| n.entries()).map(|e| &e.value).collect();
            shown(&found, inner, path, missing);
        }
        Shape::ListOf(inner) | Shape::OneOrMore(inner) => {
            let found: Vec<&Node> = nodes.iter().flat_map(|n| n.items()).collect();
            // The functions and resources of the example are maps: the list form repeats the same keys.
            if !found.is_empty() {
                shown(&found, inner, path, missing);
            }
        }
        Shape::Either(shapes) => shapes.iter().for_each(|s| shown(nodes, s, path, missing)),
        Shape::Any | Shape::Text | Shape::Bool | Shape::Int(..) | Shape::Choice(_) => {}
    }
}

/// Valid pieces that mutations start from.
const SEED: &str = "service: s\nprovider: { name: aws, environment: { Q: !Ref Q } }\ncustom: &c { a: '${self:service}', b: [1, 2.5, ~] }\nfunctions:\n  a:\n    handler: a.h\n    events:\n      \
    - httpApi: GET /x/{id}\n      - sqs: { arn: !GetAtt Q.Arn, batchSize: 5 }\n      - schedule: cron(0 10 * * ? *)\n      - s3: { bucket: abc, rules: [{ prefix: x }] }\nresources:\n  Resources:\n    \
    Q: { Type: AWS::SQS::Queue, Properties: { QueueName: !Sub 'q-${AWS::Region}' } }\n    T: { Type: AWS::DynamoDB::Table, Properties: { KeySchema: [{ AttributeName: id }] } }\nemu: { seed: x }\nx-y: *c\n";

proptest::proptest! {
    #![proptest_config(proptest::prelude::ProptestConfig { cases: 400, ..Default::default() })]

    #[test]
    fn any_text_is_loaded_or_refused(text in "[a-c:{}\\[\\],&*!|>'\"#%@\n\t é$()-]{0,80}") {
        let folder = folder(&[("serverless.yaml", &text)]);
        let shown = load(&Load::new(folder.path())).expect_err("it has no service");
        proptest::prop_assert!(!Renderer::new(folder.path(), true).render_all(&shown).is_empty());
    }

    #[test]
    fn any_edit_of_a_project_is_loaded_or_refused(
        edits in proptest::collection::vec((0usize..SEED.len(), 0usize..12, "[a-z:{}\\[\\],&*!'\"\n $~0-9.-]{0,6}"), 1..6),
    ) {
        let mut text = SEED.to_string();
        for (at, length, new) in edits {
            let at = at.min(text.len());
            let end = (at + length).min(text.len());
            if text.is_char_boundary(at) && text.is_char_boundary(end) {
                text.replace_range(at..end, &new);
            }
        }
        let folder = folder(&[("serverless.yaml", &text), ("a.ts", "")]);
        if let Err(problems) = load(&Load::new(folder.path())) {
            proptest::prop_assert!(problems.iter().any(|p| p.severity == Severity::Error));
            let _ = Renderer::new(folder.path(), false).render_all(&problems);
        }
    }
}
