//! Saving a file is enough: what is affected is rebuilt, state is kept, a broken edit keeps the last good version.

use std::path::Path;

use serde_json::json;

use crate::emu::Emu;

const PROJECT: &str = "service: hot
provider: { name: aws, runtime: nodejs22.x }
functions:
  hello:
    handler: src/hello.handler
    events: [httpApi: GET /hello]
";

fn save(project: &Path, file: &str, text: &str) {
    let path = project.join(file);
    std::fs::create_dir_all(path.parent().expect("a folder")).expect("made");
    std::fs::write(path, text).expect("saved");
}

fn project() -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    save(folder.path(), "serverless.yaml", PROJECT);
    save(folder.path(), "src/hello.ts", "import { word } from './word';\nexport const handler = async () => word;\n");
    save(folder.path(), "src/word.ts", "export const word: string = 'one';\n");
    folder
}

async fn says(emu: &Emu, path: &str, wanted: &str) {
    emu.until(&format!("{path} says {wanted}"), || async { (emu.get(path).await.text() == wanted).then_some(()) }).await;
}

#[tokio::test]
async fn a_save_of_any_file_of_a_function_is_served() {
    let project = project();
    let emu = Emu::start(project.path(), &[]);
    says(&emu, "/hello", "one").await;
    save(project.path(), "src/word.ts", "export const word: string = 'two';\n");
    says(&emu, "/hello", "two").await;
    // Editors that save by writing another file and renaming it.
    save(project.path(), "src/.word.swp", "export const word: string = 'three';\n");
    std::fs::rename(project.path().join("src/.word.swp"), project.path().join("src/word.ts")).expect("renamed");
    says(&emu, "/hello", "three").await;
    save(project.path(), "src/deep/new.ts", "export const word: string = 'four';\n");
    save(project.path(), "src/hello.ts", "import { word } from './deep/new';\nexport const handler = async () => word;\n");
    says(&emu, "/hello", "four").await;
    std::fs::remove_file(project.path().join("src/deep/new.ts")).expect("removed");
    emu.until("the missing file is reported", || async { emu.log().contains("./deep/new").then_some(()) }).await;
    says(&emu, "/hello", "four").await;
}

#[tokio::test]
async fn a_function_is_ready_at_the_next_start_without_being_evaluated_again() {
    let project = project();
    // Addresses are part of a function's environment. The first start of all makes the image that versions grow from.
    let before = Emu::start(project.path(), &[]);
    let port = |url: &str| url.rsplit(':').next().expect("a port").to_owned();
    let ports = format!("http={},aws={},admin={}", port(&before.http), port(&before.aws), port(&before.admin));
    drop(before);
    let used = || {
        let mut files = std::fs::read_dir(project.path().join(".emu/versions")).ok()?.flatten();
        files.find(|file| file.path().extension().is_some_and(|end| end == "version"))?.metadata().ok()?.modified().ok()
    };
    let emu = Emu::start(project.path(), &["--ports", &ports]);
    says(&emu, "/hello", "one").await;
    let kept = emu.until("its version is kept", || async { used() }).await;
    drop(emu);
    let emu = Emu::start(project.path(), &["--ports", &ports]);
    emu.until("its version is taken before anybody calls it", || async { used().filter(|used| *used > kept) }).await;
    says(&emu, "/hello", "one").await;
    save(project.path(), "src/word.ts", "export const word: string = 'two';\n");
    says(&emu, "/hello", "two").await;
}

#[tokio::test]
async fn a_broken_edit_keeps_the_last_good_version_and_shows_where_it_is_broken() {
    let project = project();
    let emu = Emu::start(project.path(), &[]);
    says(&emu, "/hello", "one").await;
    save(project.path(), "src/word.ts", "export const word: string = ;\n");
    emu.until("the error is shown", || async { emu.log().contains("src/word.ts:1:29").then_some(()) }).await;
    says(&emu, "/hello", "one").await;
    save(project.path(), "src/word.ts", "export const word: string = 'mended';\n");
    says(&emu, "/hello", "mended").await;
    save(project.path(), "serverless.yaml", &format!("{PROJECT}functionz: {{}}\n"));
    emu.until("the wrong key is shown", || async { emu.log().contains("functionz").then_some(()) }).await;
    says(&emu, "/hello", "mended").await;
}

#[tokio::test]
async fn an_edit_of_the_project_file_brings_new_routes_tables_and_settings_and_keeps_the_data() {
    let project = project();
    let table = "resources:
  Resources:
    Notes:
      Type: AWS::DynamoDB::Table
      Properties:
        TableName: notes
        BillingMode: PAY_PER_REQUEST
        AttributeDefinitions: [{ AttributeName: id, AttributeType: S }]
        KeySchema: [{ AttributeName: id, KeyType: HASH }]
";
    save(project.path(), "serverless.yaml", &format!("{PROJECT}{table}"));
    let emu = Emu::start(project.path(), &[]);
    emu.dynamodb("PutItem", json!({ "TableName": "notes", "Item": { "id": { "S": "kept" } } })).await;
    let more = PROJECT.to_owned()
        + "  bye:
    handler: src/bye.handler
    environment: { WORD: '${env:WORD}' }
    events: [httpApi: GET /bye, sqs: { arn: !GetAtt Work.Arn }]
" + table
        + "    Work: { Type: AWS::SQS::Queue, Properties: { QueueName: work } }
";
    save(project.path(), ".env", "WORD=first\n");
    save(project.path(), "src/bye.ts", "export const handler = async () => process.env.WORD;\n");
    save(project.path(), "serverless.yaml", &more);
    says(&emu, "/bye", "first").await;
    save(project.path(), ".env", "WORD=second\n");
    says(&emu, "/bye", "second").await;
    let queue = emu.aws("AmazonSQS.GetQueueUrl", json!({ "QueueName": "work" })).await;
    assert!(queue["QueueUrl"].as_str().is_some_and(|url| url.ends_with("/work")), "{queue}");
    let kept = emu.dynamodb("GetItem", json!({ "TableName": "notes", "Key": { "id": { "S": "kept" } } })).await;
    assert_eq!(kept["Item"]["id"]["S"], "kept");
    save(project.path(), "serverless.yaml", PROJECT);
    says(&emu, "/bye", r#"{"message":"Not Found"}"#).await;
    says(&emu, "/hello", "one").await;
}

#[tokio::test]
async fn module_state_is_lost_in_fresh_sandboxes_and_survives_in_warm_ones() {
    let counter = "let calls = 0;\nexport const handler = async () => String(++calls);\n";
    for (isolation, wanted) in [("fresh", ["1", "1", "1"]), ("warm", ["1", "2", "3"])] {
        let project = project();
        save(project.path(), "src/hello.ts", counter);
        save(project.path(), "serverless.yaml", &format!("{PROJECT}emu: {{ sandbox: {{ isolation: {isolation} }} }}\n"));
        let emu = Emu::start(project.path(), &[]);
        let mut got = Vec::new();
        for _ in 0..3 {
            got.push(emu.get("/hello").await.text());
        }
        assert_eq!(got, wanted, "{isolation}");
    }
}
