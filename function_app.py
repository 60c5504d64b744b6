"""The one FunctionApp that the Functions host looks for; each blueprint holds the triggers of one part."""

import azure.functions as func

from functions import scan
from shared.monitor import monitor

monitor()  # a wrong setting stops the app here, with a sentence that names it

app = func.FunctionApp(http_auth_level=func.AuthLevel.FUNCTION)
for part in (scan,):
    app.register_functions(part.bp)
