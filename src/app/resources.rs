//! What a project's `resources` define, made so in the services: created where missing, changed where changed, never emptied.

use crate::base::Call;
use crate::project::{Position, Problem, Project, Severity};
use crate::services::Services;
use crate::services::objects::NewBucket;
use crate::wire::aws::arn::Account;
use crate::wire::aws::dynamodb::Dynamodb;
use crate::wire::aws::s3;

/// Makes everything that the project defines. Answers what could not be made; the rest is.
pub(super) async fn ensure(services: &Services, project: &Project, account: &Account) -> Vec<Problem> {
    let (call, resources) = (Call::operator(), &project.resources);
    let mut problems = Vec::new();
    let mut made = |what: &str, name: &str, at: &Position, result: Result<(), String>| {
        if let Err(error) = result {
            let message = format!("{what} `{name}`: {error}");
            problems.push(Problem { severity: Severity::Error, message, help: None, at: Some(at.clone()) });
        }
    };
    for queue in &resources.queues {
        let result = services.queues.ensure(&call, &queue.name, &queue.properties).await;
        made("queue", &queue.name, &queue.at, result.map(|_| ()).map_err(|error| error.to_string()));
    }
    let dynamodb = Dynamodb::new(services.tables.clone(), account.clone());
    for table in &resources.tables {
        let result = dynamodb.ensure(&call, &table.name, &table.properties).await;
        made("table", &table.name, &table.at, result.map(|_| ()));
    }
    for bucket in &resources.buckets {
        let new = NewBucket { name: bucket.name.clone(), region: project.region.clone() };
        let result = match services.objects.ensure_bucket(&call, new).await {
            Ok(_) => s3::configure(&services.objects, &call, &bucket.name, &bucket.properties).await,
            Err(error) => Err(error.to_string()),
        };
        made("bucket", &bucket.name, &bucket.at, result);
    }
    for topic in &resources.topics {
        let result = services.topics.ensure(&call, &topic.name, &topic.properties, &topic.subscriptions).await;
        made("topic", &topic.name, &topic.at, result.map(|_| ()).map_err(|error| error.to_string()));
    }
    problems
}
