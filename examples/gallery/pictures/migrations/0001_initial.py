from django.db import migrations, models


class Migration(migrations.Migration):
    initial = True
    dependencies = []
    operations = [
        migrations.CreateModel(
            name="Picture",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("title", models.CharField(max_length=120)),
                ("image", models.ImageField(upload_to="pictures")),
                ("added_at", models.DateTimeField(auto_now_add=True)),
            ],
            options={"ordering": ["-added_at"]},
        ),
    ]
