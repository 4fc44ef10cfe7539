//! Types of resources, and plugins, that emu knows by name.

/// Types of resources that only matter in the cloud, or that emu does by itself: accepted without a word. A trailing `*` means any end.
pub const QUIET_RESOURCES: &[&str] = &[
    "AWS::IAM::*",
    "AWS::Logs::*",
    "AWS::CloudWatch::*",
    "AWS::Lambda::Permission",
    "AWS::S3::BucketPolicy",
    "AWS::SQS::QueuePolicy",
    "AWS::SNS::TopicPolicy",
    "AWS::KMS::*",
    "AWS::ApplicationAutoScaling::*",
    "AWS::ApiGateway::GatewayResponse",
    "AWS::CloudFormation::*",
    "AWS::SSM::Parameter",
    "AWS::SES::EmailIdentity",
    "Custom::*",
];

/// Types of resources that emu has.
pub const EMULATED_RESOURCES: &[&str] = &[
    "AWS::DynamoDB::Table",
    "AWS::DynamoDB::GlobalTable",
    "AWS::S3::Bucket",
    "AWS::SQS::Queue",
    "AWS::SNS::Topic",
    "AWS::SNS::Subscription",
];

/// Plugins whose work emu does itself, or that only matter for a deployment.
pub const QUIET_PLUGINS: &[&str] = &[
    "serverless-offline",
    "serverless-esbuild",
    "serverless-webpack",
    "serverless-bundle",
    "serverless-plugin-typescript",
    "serverless-dotenv-plugin",
    "serverless-dynamodb",
    "serverless-dynamodb-local",
    "serverless-s3-local",
    "serverless-offline-sqs",
    "serverless-offline-sns",
    "serverless-offline-ses-v2",
    "serverless-offline-scheduler",
    "serverless-offline-dynamodb-streams",
    "serverless-localstack",
    "serverless-iam-roles-per-function",
    "serverless-prune-plugin",
    "serverless-plugin-warmup",
    "serverless-plugin-tracing",
    "serverless-plugin-canary-deployments",
    "serverless-plugin-split-stacks",
    "serverless-plugin-resource-tagging",
    "serverless-plugin-lambda-dead-letter",
    "serverless-domain-manager",
    "serverless-deployment-bucket",
    "serverless-package-python-functions",
    "serverless-plugin-log-retention",
    "serverless-associate-waf",
    "serverless-s3-sync",
    "serverless-export-env",
    "serverless-pseudo-parameters",
    "serverless-plugin-utils",
];
