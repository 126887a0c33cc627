#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "notes/v1/notes.pipit.h"

/* notes-client URL create TEXT | get ID | list | delete ID */
int main(int argc, char **argv)
{
        const char *verb = argc > 2 ? argv[2] : "";
        struct pipit_channel *channel = pipit_channel_new(argc > 1 ? argv[1] : "", NULL, NULL);
        struct pipit_call call = {.wait_for_ready = true};
        Notes__V1__CreateNoteRequest create = NOTES__V1__CREATE_NOTE_REQUEST__INIT;
        Notes__V1__GetNoteRequest get = NOTES__V1__GET_NOTE_REQUEST__INIT;
        Notes__V1__ListNotesRequest list = NOTES__V1__LIST_NOTES_REQUEST__INIT;
        Notes__V1__DeleteNoteRequest remove = NOTES__V1__DELETE_NOTE_REQUEST__INIT;
        const Notes__V1__ListNotesResponse *notes = NULL;
        const Notes__V1__Note *note = NULL;
        enum pipit_status status = PIPIT_INVALID_ARGUMENT;

        create.text = argc > 3 ? argv[3] : "";
        get.id = remove.id = strtoumax(create.text, NULL, 10);
        if (channel && strcmp(verb, "create") == 0)
                status = notes_v1_create_note(channel, &call, &create, &note);
        else if (channel && strcmp(verb, "get") == 0)
                status = notes_v1_get_note(channel, &call, &get, &note);
        else if (channel && strcmp(verb, "list") == 0)
                status = notes_v1_list_notes(channel, &call, &list, &notes);
        else if (channel && strcmp(verb, "delete") == 0)
                status = notes_v1_delete_note(channel, &call, &remove, NULL);

        if (note)
                printf("%" PRIu64 " %s\n", note->id, note->text);
        for (size_t i = 0; notes && i < notes->n_notes; i++)
                printf("%" PRIu64 " %s\n", notes->notes[i]->id, notes->notes[i]->text);
        if (status != PIPIT_OK)
                fprintf(stderr, "%s\n", pipit_status_name(status));
        pipit_call_deinit(&call);
        pipit_channel_free(channel);

        return status == PIPIT_OK ? 0 : 1;
}
