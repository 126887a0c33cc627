#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "notes/v1/notes.pipit.h"

struct notes {
        pthread_mutex_t lock; /* handlers run on several threads */
        Notes__V1__Note *all[1000];
        size_t n_notes;
        uint64_t last_id;
};

static const struct pipit_error not_found = {.status = PIPIT_NOT_FOUND, .message = "no such note"};
static const struct pipit_error too_many = {.status = PIPIT_RESOURCE_EXHAUSTED};

static void create_note(void *self,
                        struct pipit_server_call *call,
                        const Notes__V1__CreateNoteRequest *request)
{
        struct notes *notes = self;
        Notes__V1__Note *note = notes__v1__note__unpack(NULL, 0, NULL);

        pthread_mutex_lock(&notes->lock);
        if (note && notes->n_notes < 1000 && (note->text = strdup(request->text))) {
                note->id = ++notes->last_id;
                notes->all[notes->n_notes++] = note;
                notes_v1_create_note_reply(call, note);
        } else {
                notes__v1__note__free_unpacked(note, NULL);
                pipit_server_call_fail(call, &too_many);
        }
        pthread_mutex_unlock(&notes->lock);
}

/* With the lock held. NULL: there is none, and the call has failed. */
static Notes__V1__Note **find(struct notes *notes, struct pipit_server_call *call, uint64_t id)
{
        for (size_t i = 0; i < notes->n_notes; i++) {
                if (notes->all[i]->id == id)
                        return &notes->all[i];
        }
        pipit_server_call_fail(call, &not_found);

        return NULL;
}

static void get_note(void *self,
                     struct pipit_server_call *call,
                     const Notes__V1__GetNoteRequest *request)
{
        struct notes *notes = self;
        Notes__V1__Note **note;

        pthread_mutex_lock(&notes->lock);
        note = find(notes, call, request->id);
        if (note)
                notes_v1_get_note_reply(call, *note);
        pthread_mutex_unlock(&notes->lock);
}

static void list_notes(void *self,
                       struct pipit_server_call *call,
                       const Notes__V1__ListNotesRequest *request)
{
        Notes__V1__ListNotesResponse response = NOTES__V1__LIST_NOTES_RESPONSE__INIT;
        struct notes *notes = self;

        (void)request;
        pthread_mutex_lock(&notes->lock);
        response.n_notes = notes->n_notes;
        response.notes = notes->all;
        notes_v1_list_notes_reply(call, &response);
        pthread_mutex_unlock(&notes->lock);
}

static void delete_note(void *self,
                        struct pipit_server_call *call,
                        const Notes__V1__DeleteNoteRequest *request)
{
        const Google__Protobuf__Empty empty = GOOGLE__PROTOBUF__EMPTY__INIT;
        struct notes *notes = self;
        Notes__V1__Note **note;

        pthread_mutex_lock(&notes->lock);
        note = find(notes, call, request->id);
        if (note) {
                notes__v1__note__free_unpacked(*note, NULL);
                *note = notes->all[--notes->n_notes];
                notes_v1_delete_note_reply(call, &empty);
        }
        pthread_mutex_unlock(&notes->lock);
}

static const struct notes_v1_notes_service service = {.create_note = create_note,
                                                      .get_note = get_note,
                                                      .list_notes = list_notes,
                                                      .delete_note = delete_note};

int main(int argc, char **argv)
{
        static struct notes notes = {.lock = PTHREAD_MUTEX_INITIALIZER};
        struct pipit_error error = {.message = "usage: notes-server URL"};
        struct pipit_server *server;
        sigset_t ends;
        int signal;

        sigemptyset(&ends);
        sigaddset(&ends, SIGTERM);
        pthread_sigmask(SIG_BLOCK, &ends, NULL);
        server = argc == 2 ? pipit_server_new(NULL, &error) : NULL;
        if (!server || notes_v1_notes_service_register(server, &service, &notes) ||
            pipit_server_listen(server, argv[1], &error) || pipit_server_start(server, &error)) {
                fprintf(stderr, "%s\n", error.message);
                return 1;
        }

        printf("listening on %s\n", pipit_server_url(server, 0));
        fflush(stdout);
        sigwait(&ends, &signal);
        pipit_server_free(server);

        return 0;
}
