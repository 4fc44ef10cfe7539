//! Operations on one bucket.

use http::StatusCode;
use s3s::dto::*;
use s3s::{S3Request, S3Response};

use super::S3;
use super::actions::{Actions, Answer, Asked};
use super::encode;
use super::fail::{Failure, fail};
use crate::base::Call;
use crate::services::objects::{self, NewBucket, Versioning};
use crate::wire::http::Response;

pub async fn create_bucket(actions: &Actions, asked: &Asked, request: S3Request<CreateBucketInput>) -> Answer<CreateBucketOutput> {
    let input = request.input;
    let constraint = input.create_bucket_configuration.and_then(|configuration| configuration.location_constraint);
    let region = constraint.map_or_else(|| actions.account.region.to_string(), |constraint| constraint.as_str().to_owned());
    let name = input.bucket;
    let new = NewBucket { name: name.clone(), region };
    match actions.objects.create_bucket(&asked.call, new).await {
        // Where it all began, making one's own bucket again is no failure ("CreateBucket", errors).
        Err(objects::Error::BucketExists(_)) if actions.account.region.as_ref() == "us-east-1" => {}
        result => {
            result?;
        }
    }
    if input.object_lock_enabled_for_bucket == Some(true) {
        actions.objects.set_versioning(&asked.call, &name, true).await?;
    }
    Ok(S3Response::new(CreateBucketOutput { location: Some(format!("/{name}")) }))
}

pub async fn head_bucket(actions: &Actions, asked: &Asked, request: S3Request<HeadBucketInput>) -> Answer<HeadBucketOutput> {
    let bucket = actions.objects.bucket(&asked.call, &request.input.bucket).await?;
    Ok(S3Response::new(HeadBucketOutput { bucket_region: Some(bucket.region), access_point_alias: Some(false), ..Default::default() }))
}

pub async fn delete_bucket(actions: &Actions, asked: &Asked, request: S3Request<DeleteBucketInput>) -> Answer<DeleteBucketOutput> {
    actions.objects.delete_bucket(&asked.call, &request.input.bucket).await?;
    Ok(S3Response::with_status(DeleteBucketOutput::default(), StatusCode::NO_CONTENT))
}

pub async fn get_bucket_location(
    actions: &Actions,
    asked: &Asked,
    request: S3Request<GetBucketLocationInput>,
) -> Answer<GetBucketLocationOutput> {
    let bucket = actions.objects.bucket(&asked.call, &request.input.bucket).await?;
    let location_constraint = Some(bucket.region).filter(|region| region != "us-east-1").map(BucketLocationConstraint::from);
    Ok(S3Response::new(GetBucketLocationOutput { location_constraint }))
}

pub async fn get_bucket_versioning(
    actions: &Actions,
    asked: &Asked,
    request: S3Request<GetBucketVersioningInput>,
) -> Answer<GetBucketVersioningOutput> {
    let bucket = actions.objects.bucket(&asked.call, &request.input.bucket).await?;
    let status = match bucket.versioning {
        Versioning::Off => None,
        Versioning::On => Some(BucketVersioningStatus::from_static(BucketVersioningStatus::ENABLED)),
        Versioning::Suspended => Some(BucketVersioningStatus::from_static(BucketVersioningStatus::SUSPENDED)),
    };
    Ok(S3Response::new(GetBucketVersioningOutput { status, ..Default::default() }))
}

pub async fn put_bucket_versioning(
    actions: &Actions,
    asked: &Asked,
    request: S3Request<PutBucketVersioningInput>,
) -> Answer<PutBucketVersioningOutput> {
    let input = request.input;
    let keep = match input.versioning_configuration.status.as_ref().map(BucketVersioningStatus::as_str) {
        Some("Enabled") => true,
        Some("Suspended") => false,
        Some(_) => return Err(Failure::malformed_xml()),
        None => {
            return Err(Failure::new(
                StatusCode::BAD_REQUEST,
                "IllegalVersioningConfigurationException",
                "The Versioning element must be specified",
            ));
        }
    };
    actions.objects.set_versioning(&asked.call, &input.bucket, keep).await?;
    Ok(S3Response::new(PutBucketVersioningOutput::default()))
}

/// Whether a bucket's policy lets anyone in: none does here, as none is enforced.
pub async fn policy_status(s3: &S3, call: &Call, bucket: &str) -> Result<Response, Failure> {
    match s3.objects.document(call, bucket, "policy").await.map_err(|error| fail(&error))? {
        Some(_) => Ok(encode::xml("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<PolicyStatus xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\"><IsPublic>FALSE</IsPublic></PolicyStatus>".to_owned())),
        None => Err(Failure::new(StatusCode::NOT_FOUND, "NoSuchBucketPolicy", "The bucket policy does not exist").detail("BucketName", bucket)),
    }
}
