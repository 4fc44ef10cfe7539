//! `${…}`, `Ref` and `Fn::…`.

use super::*;

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
