// Any text as a list of datapath actions: refused with a place and a reason, or it makes a list that
// odp_check() accepts, and that prints to what reads the same.
// Needs: datapath/action datapath/base datapath/flow datapath/packet datapath/port datapath/umem datapath/drop_reason.c

#include <stdlib.h>

#include "datapath/action/odp_text.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(bool holds) {
    if (!holds) {
        abort();
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static char printed[1 << 20], again[1 << 20];
    char *text = malloc(size + 1); // Ends where the text does.
    memcpy(text, data, size);
    text[size] = '\0';
    struct odp_list list = odp_list_on(NULL, 0), second = odp_list_on(NULL, 0);
    const char *at = NULL, *why = NULL;
    int result = odp_text_parse(text, &list, &at, &why);
    if (result < 0) {
        check(why && at >= text && at <= text + size && list.len == 0);
    } else {
        struct text t;
        check(odp_check(list.data, list.len, &why));
        text_init(&t, printed, sizeof printed);
        odp_text_put(&t, list.data, list.len, NULL);
        check(t.cut || odp_text_parse(printed, &second, &at, &why) == 0);
        if (!t.cut) {
            text_init(&t, again, sizeof again);
            odp_text_put(&t, second.data, second.len, NULL);
            check(strcmp(printed, again) == 0);
        }
    }
    odp_list_destroy(&list);
    odp_list_destroy(&second);
    free(text);
    return 0;
}
