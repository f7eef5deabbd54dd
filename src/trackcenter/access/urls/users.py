"""`/users/`: for administrators."""

from django.urls import path

from trackcenter.access import pages

urlpatterns = [
    path("", pages.user_list, name="users"),
    path("new/", pages.new_user, name="new_user"),
    path("log/", pages.access_log, name="access_log"),
    path("<uuid:user_id>/", pages.user_detail, name="user"),
    path("<uuid:user_id>/<slug:verb>/", pages.change_user, name="change_user"),
]
