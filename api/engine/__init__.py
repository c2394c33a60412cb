"""The evaluation engine: arithmetic over documents, without Django, clock or chance.

    compiled = compile_context(environment_context(document))
    compiled.evaluate(Identity("user-17", {"plan": "pro"})).flags["new_checkout"].enabled

The rules are those of Flagsmith's SDKs, so that evaluating here and locally gives the same answer.
"""
