"""Triggers and routes of people and customers: a timer reads them anew, another carries on what was cut off."""

import azure.functions as func

from functions.blueprint import Blueprint
from functions.http import Call, NoQuery, endpoint
from functions.who import Role
from shared.answers.accounts import AccountsPage, AccountsQuery, read_accounts
from shared.answers.customers import CustomersPage, CustomersQuery, read_customers
from shared.answers.directory import DirectoryAnswer, read_directory
from shared.answers.technicians import TechniciansPage, TechniciansQuery, read_technicians
from shared.app.app import running_app
from shared.people.refresh import refresh_directory

bp = Blueprint()


@bp.function_name("refresh_directory")
@bp.timer_trigger(arg_name="timer", schedule="%DIRECTORY_SCHEDULE%", run_on_startup=False)
async def refresh(timer: func.TimerRequest) -> None:
    """Read roster, customers and registrations anew."""
    await refresh_directory(running_app(), scheduled=True)


@bp.function_name("continue_refresh")
@bp.timer_trigger(arg_name="timer", schedule="%SCAN_SCHEDULE%", run_on_startup=False)
async def carry_on(timer: func.TimerRequest) -> None:
    """Carry on a refresh that was cut off; begin the very first one, without which nothing can be judged."""
    await refresh_directory(running_app(), scheduled=False)


@endpoint(bp, "GET", "technicians", needs=Role.READER)
async def technicians(call: Call[TechniciansQuery]) -> TechniciansPage:
    """The delegated admins: roles, MFA, sign-ins by verdict, customers reachable and reached, last seen."""
    return await read_technicians(call.app, call.query)


@endpoint(bp, "GET", "customers", needs=Role.READER)
async def customers(call: Call[CustomersQuery]) -> CustomersPage:
    """The customers: their relationship, sign-ins by verdict, technicians seen, open incidents."""
    return await read_customers(call.app, call.query)


@endpoint(bp, "GET", "accounts", needs=Role.READER)
async def accounts(call: Call[AccountsQuery]) -> AccountsPage:
    """The accounts of the partner's tenant that break posture rules: the tenant-wide requirement, guests included."""
    return await read_accounts(call.app, call.query)


@endpoint(bp, "GET", "directory", needs=Role.READER)
async def directory(call: Call[NoQuery]) -> DirectoryAnswer:
    """The roster, the customers and their dates as the scan judges by them: a directory file for `assess`."""
    return await read_directory(call.app)
