//! The operations that `s3s` calls, each in the file of its noun.

use std::sync::{Arc, Mutex};

use http::HeaderValue;
use s3s::{S3Request, S3Response, S3Result, dto};

use super::decode::Payload;
use super::fail::{Failure, fail};
use super::{buckets, lists, object, uploads};
use crate::base::Call;
use crate::services::objects::{self, Objects};
use crate::wire::aws::arn::Account;

/// What the operations work on.
pub struct Actions {
    pub objects: Objects,
    pub account: Account,
}

impl Actions {
    pub fn new(objects: Objects, account: Account) -> Actions {
        Actions { objects, account }
    }

    /// The owner of everything.
    pub fn owner(&self) -> dto::Owner {
        dto::Owner { id: Some(super::owner_id(&self.account)), ..Default::default() }
    }
}

/// What travels with a request through `s3s`: who asks, what was taken off the request, and what went wrong.
#[derive(Clone)]
pub struct Asked {
    pub call: Call,
    pub payload: Payload,
    /// As it was sent: it need not be a date.
    pub expires: Option<String>,
    failure: Arc<Mutex<Option<Failure>>>,
}

impl Asked {
    pub fn new(call: Call, payload: Payload, expires: Option<HeaderValue>) -> Asked {
        let expires = expires.and_then(|value| value.to_str().ok().map(str::to_owned));
        Asked { call, payload, expires, failure: Arc::default() }
    }

    /// What went wrong in the operation, with all that is to be said of it.
    pub fn failure(&self) -> Option<Failure> {
        self.failure.lock().unwrap_or_else(|poisoned| poisoned.into_inner()).take()
    }

    fn failed(&self, failure: Failure) -> s3s::S3Error {
        let error = failure.to_s3s();
        *self.failure.lock().unwrap_or_else(|poisoned| poisoned.into_inner()) = Some(failure);
        error
    }
}

impl From<objects::Error> for Failure {
    fn from(error: objects::Error) -> Failure {
        fail(&error)
    }
}

/// The answer of an operation.
pub type Answer<T> = Result<S3Response<T>, Failure>;

macro_rules! operations {
    ($($module:ident :: $name:ident ($input:ident) -> $output:ident;)*) => {
        #[async_trait::async_trait]
        impl s3s::S3 for Actions {
            $(async fn $name(&self, request: S3Request<dto::$input>) -> S3Result<S3Response<dto::$output>> {
                let Some(asked) = request.extensions.get::<Asked>().cloned() else {
                    return Err(s3s::S3ErrorCode::InternalError.into());
                };
                $module::$name(self, &asked, request).await.map_err(|failure| asked.failed(failure))
            })*
        }
    };
}

operations! {
    lists::list_buckets(ListBucketsInput) -> ListBucketsOutput;
    buckets::create_bucket(CreateBucketInput) -> CreateBucketOutput;
    buckets::head_bucket(HeadBucketInput) -> HeadBucketOutput;
    buckets::delete_bucket(DeleteBucketInput) -> DeleteBucketOutput;
    buckets::get_bucket_location(GetBucketLocationInput) -> GetBucketLocationOutput;
    buckets::get_bucket_versioning(GetBucketVersioningInput) -> GetBucketVersioningOutput;
    buckets::put_bucket_versioning(PutBucketVersioningInput) -> PutBucketVersioningOutput;
    lists::list_objects(ListObjectsInput) -> ListObjectsOutput;
    lists::list_objects_v2(ListObjectsV2Input) -> ListObjectsV2Output;
    lists::list_object_versions(ListObjectVersionsInput) -> ListObjectVersionsOutput;
    object::put_object(PutObjectInput) -> PutObjectOutput;
    object::get_object(GetObjectInput) -> GetObjectOutput;
    object::head_object(HeadObjectInput) -> HeadObjectOutput;
    object::copy_object(CopyObjectInput) -> CopyObjectOutput;
    object::delete_object(DeleteObjectInput) -> DeleteObjectOutput;
    lists::delete_objects(DeleteObjectsInput) -> DeleteObjectsOutput;
    object::get_object_attributes(GetObjectAttributesInput) -> GetObjectAttributesOutput;
    object::get_object_tagging(GetObjectTaggingInput) -> GetObjectTaggingOutput;
    object::put_object_tagging(PutObjectTaggingInput) -> PutObjectTaggingOutput;
    object::delete_object_tagging(DeleteObjectTaggingInput) -> DeleteObjectTaggingOutput;
    object::get_object_acl(GetObjectAclInput) -> GetObjectAclOutput;
    object::put_object_acl(PutObjectAclInput) -> PutObjectAclOutput;
    uploads::create_multipart_upload(CreateMultipartUploadInput) -> CreateMultipartUploadOutput;
    uploads::upload_part(UploadPartInput) -> UploadPartOutput;
    uploads::upload_part_copy(UploadPartCopyInput) -> UploadPartCopyOutput;
    uploads::list_parts(ListPartsInput) -> ListPartsOutput;
    uploads::list_multipart_uploads(ListMultipartUploadsInput) -> ListMultipartUploadsOutput;
    uploads::complete_multipart_upload(CompleteMultipartUploadInput) -> CompleteMultipartUploadOutput;
    uploads::abort_multipart_upload(AbortMultipartUploadInput) -> AbortMultipartUploadOutput;
}
