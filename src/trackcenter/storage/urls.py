"""One address: the signed links of `trackcenter.storage.links`."""

from django.urls import path

from trackcenter.storage.links import PREFIX
from trackcenter.storage.views import serve_signed

urlpatterns = [path(f"{PREFIX.removeprefix('/')}<str:token>", serve_signed, name="signed-file")]
