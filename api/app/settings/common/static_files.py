"""Static files, language and time."""

from app.settings.common.installation import API_DIR
from app.settings.environment import env
from app.settings.static_storage import Bucket, static_storage

STATIC_URL = "/static/"
STATIC_ROOT = API_DIR / "static"
USE_S3_STORAGE = env.boolean(
    "USE_S3_STORAGE", help="Have `collectstatic` put static files on S3, and pages find them there."
)
AWS_STORAGE_BUCKET_NAME = env.text("AWS_STORAGE_BUCKET_NAME", help="Bucket there.")
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": static_storage(
        use_s3=USE_S3_STORAGE,
        bucket=Bucket(
            name=AWS_STORAGE_BUCKET_NAME,
            region=env.text("AWS_S3_REGION_NAME", "eu-west-2", help="Its region."),
            endpoint=env.text(
                "AWS_S3_ENDPOINT_URL", help="URL of a server that speaks S3; unset: Amazon's of the region."
            ),
            domain=env.text(
                "AWS_S3_CUSTOM_DOMAIN", help="Host under which browsers find the bucket; unset: the server's."
            ),
        ),
    ),
}
LANGUAGE_CODE = "en-gb"
TIME_ZONE = "UTC"
USE_TZ = True
