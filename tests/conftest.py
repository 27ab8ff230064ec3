"""How hypothesis runs here: what an example takes says nothing on a machine that does other work."""

from hypothesis import HealthCheck, settings

settings.register_profile("dropmerge", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("dropmerge")
