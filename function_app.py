"""The one FunctionApp that the Functions host looks for; each blueprint holds the triggers of one part."""

import azure.functions as func

from functions.parts import PARTS
from functions.who import auth_level
from shared.app.app import running_app

# A wrong setting stops the app here, with a sentence that names it.
app = func.FunctionApp(http_auth_level=auth_level(running_app().settings))
for part in PARTS:
    app.register_functions(part)
