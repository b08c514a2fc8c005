from pathlib import Path

from django.contrib.auth.hashers import make_password
from django.db import migrations


def create_admin(apps, schema_editor):
    """The first user, with the password that is mounted from a secret."""
    user = apps.get_model("auth", "User")
    password = Path("/secrets/admin/password").read_text().strip()
    user.objects.get_or_create(
        username="admin",
        defaults={"password": make_password(password), "is_staff": True, "is_superuser": True},
    )


class Migration(migrations.Migration):
    dependencies = [("pictures", "0001_initial"), ("auth", "0012_alter_user_first_name_max_length")]
    operations = [migrations.RunPython(create_admin, migrations.RunPython.noop)]
