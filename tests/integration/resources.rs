//! What the `resources` of a project ask for, done.

use serde_json::json;

use crate::emu::Emu;

const PROJECT: &str = "service: told
provider: { name: aws, runtime: nodejs22.x }
functions:
  seen:
    handler: seen.handler
resources:
  Resources:
    Inbox:
      Type: AWS::SQS::Queue
      Properties: { QueueName: inbox }
    FromTopic:
      Type: AWS::SQS::Queue
      Properties: { QueueName: from-topic }
    News:
      Type: AWS::SNS::Topic
      Properties:
        TopicName: news
        Subscription:
          - { Protocol: sqs, Endpoint: !GetAtt FromTopic.Arn }
    Files:
      Type: AWS::S3::Bucket
      Properties:
        BucketName: files
        VersioningConfiguration: { Status: Enabled }
        CorsConfiguration:
          CorsRules:
            - { AllowedOrigins: ['https://shop.example'], AllowedMethods: [GET, PUT], AllowedHeaders: ['*'], MaxAge: 60 }
        NotificationConfiguration:
          QueueConfigurations:
            - Event: 's3:ObjectCreated:*'
              Queue: !GetAtt Inbox.Arn
              Filter: { S3Key: { Rules: [{ Name: prefix, Value: in/ }] } }
          TopicConfigurations:
            - { Event: 's3:ObjectRemoved:*', Topic: !Ref News }
          LambdaConfigurations:
            - { Event: 's3:ObjectCreated:Put', Function: 'arn:aws:lambda:us-east-1:000000000000:function:told-dev-seen' }
";

/// The bodies of the messages in a queue.
async fn messages(emu: &Emu, queue: &str) -> Vec<serde_json::Value> {
    let url = format!("{}/000000000000/{queue}", emu.aws);
    let answer = emu.aws("AmazonSQS.ReceiveMessage", json!({ "QueueUrl": url, "MaxNumberOfMessages": 10 })).await;
    let bodies = answer["Messages"].as_array().into_iter().flatten().filter_map(|message| message["Body"].as_str());
    bodies.map(|body| serde_json::from_str(body).expect("JSON")).collect()
}

#[tokio::test]
async fn a_bucket_tells_queues_topics_and_functions_keeps_versions_and_lets_browsers_in() {
    let folder = tempfile::tempdir().expect("a folder");
    std::fs::write(folder.path().join("serverless.yaml"), PROJECT).expect("a file");
    let code = "export const handler = async ({ Records: [{ eventName, s3 }] }) => console.log('seen', eventName, s3.object.key);";
    std::fs::write(folder.path().join("seen.mjs"), code).expect("a file");
    let emu = Emu::start(folder.path(), &[]);
    for key in ["in/a.txt", "elsewhere/b.txt"] {
        assert_eq!(emu.send("PUT", &format!("{}/files/{key}", emu.aws), &[], "x").await.status, 200);
    }
    let again = emu.send("PUT", &format!("{}/files/in/a.txt", emu.aws), &[], "y").await;
    assert!(again.headers.get("x-amz-version-id").is_some_and(|version| version != "null"), "versions are kept");
    assert_eq!(emu.send("DELETE", &format!("{}/files/elsewhere/b.txt", emu.aws), &[], "").await.status, 204);
    emu.idle().await;
    let inbox = messages(&emu, "inbox").await;
    let keys: Vec<_> = inbox.iter().map(|event| event["Records"][0]["s3"]["object"]["key"].clone()).collect();
    assert_eq!(keys, ["in/a.txt", "in/a.txt"], "{inbox:#?}");
    let [message] = &messages(&emu, "from-topic").await[..] else { panic!("one message") };
    assert_eq!(message["Subject"], "Amazon S3 Notification");
    assert!(message["Message"].as_str().is_some_and(|text| text.contains("ObjectRemoved:DeleteMarkerCreated")), "{message:#?}");
    emu.until("the function is told", || async { emu.log().contains("seen ObjectCreated:Put elsewhere/b.txt").then_some(()) }).await;
    let asks = [("origin", "https://shop.example"), ("access-control-request-method", "PUT")];
    let answer = emu.send("OPTIONS", &format!("{}/files/in/a.txt", emu.aws), &asks, "").await;
    assert_eq!((answer.status, &answer.headers["access-control-max-age"]), (200, &"60".parse().expect("a header")));
    let stranger = [("origin", "https://elsewhere.example"), ("access-control-request-method", "PUT")];
    assert_eq!(emu.send("OPTIONS", &format!("{}/files/in/a.txt", emu.aws), &stranger, "").await.status, 403);
}
