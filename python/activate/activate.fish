# Activates the environment that holds this file: `source bin/activate.fish` in fish. It may be moved and linked to.

function deactivate -d "Leave the virtual environment"
    if test -n "$_OLD_VIRTUAL_PATH"
        set -gx PATH $_OLD_VIRTUAL_PATH
        set -e _OLD_VIRTUAL_PATH
    end
    if test -n "$_OLD_VIRTUAL_PYTHONHOME"
        set -gx PYTHONHOME $_OLD_VIRTUAL_PYTHONHOME
        set -e _OLD_VIRTUAL_PYTHONHOME
    end
    if test -n "$_OLD_FISH_PROMPT_OVERRIDE"
        set -e _OLD_FISH_PROMPT_OVERRIDE
        # A fish inside this one has the variable and not the function.
        if functions -q _old_fish_prompt
            functions -e fish_prompt
            functions -c _old_fish_prompt fish_prompt
            functions -e _old_fish_prompt
        end
    end
    set -e VIRTUAL_ENV
    set -e VIRTUAL_ENV_PROMPT
    if test "$argv[1]" != nondestructive
        functions -e deactivate
    end
end

# What another environment set.
deactivate nondestructive

set -l omnipkg_file (status filename)
if not string match -q '*/*' -- $omnipkg_file
    set omnipkg_file ./$omnipkg_file
end
if not string match -q '/*' -- $omnipkg_file
    set omnipkg_file $PWD/$omnipkg_file
end
# In a subshell, so that neither the directory nor its history changes.
set -l omnipkg_folder (string replace -r '/[^/]*$' '' -- $omnipkg_file)
set -gx VIRTUAL_ENV (sh -c 'CDPATH= cd -- "$1/.." > /dev/null && pwd' sh $omnipkg_folder)

set -gx _OLD_VIRTUAL_PATH $PATH
set -gx PATH "$VIRTUAL_ENV/bin" $PATH

if set -q PYTHONHOME
    set -gx _OLD_VIRTUAL_PYTHONHOME $PYTHONHOME
    set -e PYTHONHOME
end

# `.venv` says nothing: the project that it is in does. Nor does the name of a view.
set -gx VIRTUAL_ENV_PROMPT (string replace -r '^.*/' '' -- $VIRTUAL_ENV)
if string match -q '.*' -- $VIRTUAL_ENV_PROMPT
    set VIRTUAL_ENV_PROMPT (string replace -r '^.*/([^/]*)/[^/]*$' '$1' -- $VIRTUAL_ENV)
else if string match -q -r '^[0-9a-f]{40}$' -- $VIRTUAL_ENV_PROMPT
    set VIRTUAL_ENV_PROMPT omnipkg
end

if test -z "$VIRTUAL_ENV_DISABLE_PROMPT"; and functions -q fish_prompt
    functions -c fish_prompt _old_fish_prompt
    function fish_prompt
        # The old prompt may show how the last command ended.
        set -l old_status $status
        printf "(%s) " $VIRTUAL_ENV_PROMPT
        echo "exit $old_status" | .
        _old_fish_prompt
    end
    set -gx _OLD_FISH_PROMPT_OVERRIDE "$VIRTUAL_ENV"
end
