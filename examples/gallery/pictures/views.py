from django.shortcuts import render

from .models import Picture


def index(request):
    return render(request, "pictures/index.html", {"pictures": Picture.objects.all()[:50]})
