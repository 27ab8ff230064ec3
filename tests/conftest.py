"""What all tests share."""

import os

from hypothesis import HealthCheck, settings

from localcloud.environment import RETRY_SPEED

# What an example takes says nothing on a machine that does other work.
settings.register_profile("dropmerge", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("dropmerge")
# A planted fault costs a second, not ten.
os.environ.setdefault(RETRY_SPEED, "10")
