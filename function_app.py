"""The one FunctionApp that the Functions host looks for, with every function of functions/index.json."""

import azure.functions as func

from functions.index import register
from functions.who import auth_level
from shared.app.app import running_app

# A wrong setting stops the app here, with a sentence that names it.
app = func.FunctionApp(http_auth_level=auth_level(running_app().settings))
register(app)
