from django.db import migrations, models

from lists import search
from lists.titles import with_grams


def name_grams(apps, schema_editor):
    """Titles that are written without blanks are found by two of their signs."""
    Entry = apps.get_model('lists', 'Entry')
    changed = []
    for entry in Entry.objects.only('search').iterator(chunk_size=2000):
        if not entry.search.isascii() and (text := with_grams(entry.search)) != entry.search:
            entry.search = text
            changed.append(entry)
        if len(changed) >= 500:
            Entry.objects.bulk_update(changed, ['search'])
            changed = []
    Entry.objects.bulk_update(changed, ['search'])


def make(apps, schema_editor):
    search.ensure()


def remove(apps, schema_editor):
    for index in search.INDEXES:
        search.remove(index)


class Migration(migrations.Migration):

    dependencies = [
        ('lists', '0006_one_lease'),
    ]

    operations = [
        migrations.RunPython(name_grams, migrations.RunPython.noop),
        migrations.AddIndex(
            model_name='entry',
            index=models.Index(condition=models.Q(('state', 'listed'), models.Q(('group', ''), _negated=True)), fields=['list', 'group', 'rank', 'id'], name='entry_by_group'),
        ),
        migrations.RunPython(make, remove),
    ]
