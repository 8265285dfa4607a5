"""The web application: everything below, put together."""

from functools import cache

from flask import Blueprint

from portal.accounting.views import blueprint as accounting
from portal.accounts.guard import init_guard
from portal.accounts.views import blueprint as accounts
from portal.admin.views import blueprint as admin
from portal.app.case import init_case
from portal.app.home import blueprint as home
from portal.app.logs import init_logs
from portal.app.pages import init_pages
from portal.app.processor import blueprint as processor
from portal.applications import eligibility, journey
from portal.applications.views import blueprint as applications
from portal.awards.views import blueprint as awards
from portal.contributions.service import receiving
from portal.contributions.views import blueprint as contributions
from portal.contributions.views.cards import blueprint as giving
from portal.core import crypto, embedded, files, outbox, stripe, templating
from portal.core.config import ROOT, Settings
from portal.core.db import connect
from portal.core.i18n import init_i18n, locale
from portal.core.web import Portal, init_web
from portal.funds import countries
from portal.funds.views import blueprint as funds
from portal.payments import queries as payments_queries
from portal.payments.rails import bank
from portal.payments.rails import stripe as stripe_rail
from portal.payments.statements.queries.accounts import (
    accounts_in_use,
    has_account,
    has_statements,
)
from portal.payments.views import blueprint as payments
from portal.publication.views import blueprint as publication
from portal.reports import queries as reports_queries
from portal.reports.views import blueprint as reports
from portal.reviews.views import blueprint as reviews

BLUEPRINTS: tuple[Blueprint, ...] = (
    home,
    accounts,
    funds,
    contributions,
    applications,
    reviews,
    awards,
    reports,
    payments,
    accounting,
    giving,
    publication,
    admin,
    processor,
)
"""The pages of each feature, in the order of the ladder. A new feature adds its blueprint."""


def create_app(settings: Settings) -> Portal:
    """Return the web application for `settings`, connected to its database.

    Raises NoDatabase where an embedded one is wanted and cannot be started.
    """
    init_logs()
    connect_stores(settings)
    app = Portal(
        "portal",
        root_path=str(ROOT),
        template_folder="templates",
        static_folder="static",
    )
    app.config.update(
        SECRET_KEY=settings.secret_key.get_secret_value(),
        SESSION_COOKIE_NAME="__Host-portal" if settings.secure else "portal",
        SESSION_COOKIE_SECURE=settings.secure,
        HSTS=settings.secure,
        TESTING=False,
        COUNTRIES=country_names,
        SETTINGS=settings,
    )
    init_i18n(app)
    init_web(app, settings.max_upload_bytes)
    init_guard(app)
    init_pages(app, settings)
    init_case(app)
    eligibility.answer_with("outstanding_report", reports_queries.outstanding)
    eligibility.answer_with("duplicates", payments_queries.shared_accounts)
    receiving.ask_of_bank(holds=has_account, tells=has_statements, in_use=accounts_in_use)
    journey.due_with("report_due", reports_queries.next_due)
    templating.configure(app.jinja_env)
    if settings.demo:
        from portal.demo.stripe import init_processor

        init_processor(app, settings)
    for blueprint in blueprints(settings):
        app.register_blueprint(blueprint)
    return app


def blueprints(settings: Settings) -> tuple[Blueprint, ...]:
    """Return the pages that there are; those of the demonstration in demo mode only."""
    if not settings.demo:
        return BLUEPRINTS
    from portal.demo import stripe as pretend
    from portal.demo.bank.views import blueprint as pretend_bank
    from portal.demo.views import blueprint as demo

    return (*BLUEPRINTS, demo, pretend_bank, pretend.api, pretend.pages)


def connect_stores(settings: Settings) -> None:
    """Connect to the database, the folder of files, the mail and the master key of `settings`.

    Values never appear in the messages of the database's errors.
    """
    url = settings.database_url or embedded.start(settings.data_dir)
    connect(url, hide_parameters=True)
    crypto.configure(settings.master_key_bytes)
    files.configure(settings.files_dir, settings.max_upload_bytes)
    outbox.configure(settings)
    bank.configure(settings.bank_drop_dir, settings.bank_pickup_dir)
    stripe.configure(settings)
    stripe_rail.configure(settings)


def country_names() -> list[tuple[str, str]]:
    """Return (ISO 3166 alpha-3, name) of every country, by name in the reader's language."""
    return _country_names(str(locale()))


@cache
def _country_names(language: str) -> list[tuple[str, str]]:
    names = [
        (country.iso3, countries.display_name(country.iso3, language))
        for country in countries.all_countries()
    ]
    return sorted(names, key=lambda pair: pair[1])
