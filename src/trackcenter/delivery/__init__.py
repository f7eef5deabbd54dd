"""The delivery worker: claim an attempt → render → hand over → record.

Each step may be the last before the process dies. The claim is committed before the provider is
called, no transaction is open during a call, and whoever takes the attempt up again asks the
provider what became of it before anything is sent.
"""
