"""`/account/`: one's own password and second step. The views are allauth's, the names too."""

from allauth.account import views as account
from allauth.mfa.base import views as second_step
from allauth.mfa.recovery_codes import views as recovery_codes
from allauth.mfa.totp import views as totp
from django.urls import path
from django.views.generic import RedirectView

urlpatterns = [
    path("", second_step.index, name="mfa_index"),
    path("password/", account.password_change, name="account_change_password"),
    # Who comes in by OpenID has no password here, and shall not get one beside it.
    path(
        "no-password/", RedirectView.as_view(pattern_name="mfa_index"), name="account_set_password"
    ),
    path("confirm/", account.reauthenticate, name="account_reauthenticate"),
    path("confirm/code/", second_step.reauthenticate, name="mfa_reauthenticate"),
    path("second-step/", totp.activate_totp, name="mfa_activate_totp"),
    path("second-step/end/", totp.deactivate_totp, name="mfa_deactivate_totp"),
    path("recovery-codes/", recovery_codes.view_recovery_codes, name="mfa_view_recovery_codes"),
    path(
        "recovery-codes/new/",
        recovery_codes.generate_recovery_codes,
        name="mfa_generate_recovery_codes",
    ),
]
