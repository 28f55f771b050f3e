"""What Pulumi runs."""

from infra.program import deploy

deploy()
