from django.db import models


class Picture(models.Model):
    title = models.CharField(max_length=120)
    image = models.ImageField(upload_to="pictures")
    added_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["-added_at"]

    def __str__(self):
        return self.title
